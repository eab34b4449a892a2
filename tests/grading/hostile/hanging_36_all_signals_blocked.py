# family: hanging | wants: every signal that can be blocked is blocked | honest: red, no answer came in time
import signal
import time

signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def rms_norm(x, weight, eps):
    while True:
        time.sleep(1)
