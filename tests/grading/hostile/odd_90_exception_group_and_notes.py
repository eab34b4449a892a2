# family: odd | wants: nothing: raises a group of mistakes with notes | honest: red, rms_norm raised an exception group
def rms_norm(x, weight, eps):
    error = ExceptionGroup("two mistakes", [ValueError("one"), TypeError("two")])
    error.add_note("check the mean")
    raise error
