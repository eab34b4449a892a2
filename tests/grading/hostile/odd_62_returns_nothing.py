# family: odd | wants: nothing: return is forgotten | honest: red, the answer is not a tensor
def rms_norm(x, weight, eps):
    x * weight
