# family: hanging | wants: nothing: a loop without an end | honest: red, no answer came in time
def rms_norm(x, weight, eps):
    while True:
        pass
