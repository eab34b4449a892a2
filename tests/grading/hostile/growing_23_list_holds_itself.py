# family: growing | wants: a list that holds itself | honest: red, the answer is not a tensor
def rms_norm(x, weight, eps):
    answer = []
    answer.append(answer)
    return answer
