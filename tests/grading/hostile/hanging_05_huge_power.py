# family: hanging | wants: one operation in C that never ends | honest: red, no answer came in time
def rms_norm(x, weight, eps):
    n = 9
    return x * float(n**n**n)
