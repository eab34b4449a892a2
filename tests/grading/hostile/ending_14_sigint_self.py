# family: ending | wants: looks as if the user had pressed Ctrl-C, and the whole run stops | honest: red, rms_norm raised KeyboardInterrupt
import os
import signal


def rms_norm(x, weight, eps):
    os.kill(os.getpid(), signal.SIGINT)
    return x
