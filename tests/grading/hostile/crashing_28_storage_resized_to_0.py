# family: crashing | wants: the answer has a shape but no memory | honest: red, the answer is not readable
def rms_norm(x, weight, eps):
    out = x * weight
    out.untyped_storage().resize_(0)
    return out
