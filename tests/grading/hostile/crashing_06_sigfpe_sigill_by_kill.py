# family: crashing | wants: the process dies by a signal that names no crash handler | honest: red, the process crashed
import os
import signal


def rms_norm(x, weight, eps):
    os.kill(os.getpid(), signal.SIGILL)
