# family: ending | wants: looks as if the user had pressed Ctrl-C, and the whole run stops | honest: red, rms_norm raised KeyboardInterrupt
def rms_norm(x, weight, eps):
    raise KeyboardInterrupt
