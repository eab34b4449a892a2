# family: hanging | wants: a loop in C that looks at no signal | honest: red, no answer came in time
def rms_norm(x, weight, eps):
    return x * sum(range(10**15))
