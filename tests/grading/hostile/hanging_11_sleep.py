# family: hanging | wants: sleeps for eleven days | honest: red, no answer came in time
import time


def rms_norm(x, weight, eps):
    time.sleep(10**6)
