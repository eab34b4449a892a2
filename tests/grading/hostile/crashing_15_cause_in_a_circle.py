# family: crashing | wants: whoever walks the causes walks for ever | honest: red, rms_norm raised ValueError
def rms_norm(x, weight, eps):
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    one.__context__, two.__context__ = two, one
    raise one
