# family: hanging | wants: SIGALRM is ignored | honest: red, no answer came in time
import signal


def rms_norm(x, weight, eps):
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    while True:
        pass
