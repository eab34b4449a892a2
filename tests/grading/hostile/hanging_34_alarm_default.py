# family: hanging | wants: SIGALRM gets its default, which ends the process; and a timer of its own | honest: red, the process was killed
import signal


def rms_norm(x, weight, eps):
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    while True:
        pass
