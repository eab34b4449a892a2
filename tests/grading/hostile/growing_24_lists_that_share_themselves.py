# family: growing | wants: lists that share themselves: 24 lists, 2**24 leaves | honest: red, the answer is not a tensor
def rms_norm(x, weight, eps):
    answer = [1.0]
    for _ in range(24):
        answer = [answer, answer]
    return answer
