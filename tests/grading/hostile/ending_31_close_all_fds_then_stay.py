# family: ending | wants: the channel ends but the process lives: who waits for what? | honest: red, the process closed its channel
import os
import time


def rms_norm(x, weight, eps):
    os.closerange(0, 256)
    while True:
        time.sleep(1)
