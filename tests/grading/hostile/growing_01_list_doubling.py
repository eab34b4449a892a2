# family: growing | wants: a list doubles until the memory is full, here up to 3 GB | honest: red, rms_norm used too much memory
def rms_norm(x, weight, eps):
    numbers = [0.0]
    while len(numbers) * 8 < 2 * 10**9:
        numbers = numbers + numbers
    return x * weight
