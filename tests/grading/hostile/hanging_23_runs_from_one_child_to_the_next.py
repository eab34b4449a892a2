# family: hanging | wants: forks and ends every 0.1 s, so that no list of processes is up to date; 3,000 times, one at a time | honest: red, the process ended before it answered, and the runner is gone afterwards
import os
import time


def rms_norm(x, weight, eps):
    for _ in range(3_000):
        if os.fork():
            os._exit(0)
        os.setsid()
        time.sleep(0.1)
    os._exit(0)
