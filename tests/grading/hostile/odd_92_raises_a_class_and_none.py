# family: odd | wants: raise of something that is no exception | honest: red, rms_norm raised TypeError
def rms_norm(x, weight, eps):
    raise "wrong"
