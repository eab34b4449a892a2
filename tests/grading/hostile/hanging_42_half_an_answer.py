# family: hanging | wants: writes a length of 1 GB to every open channel and then nothing | honest: red, no answer came in time
import os
import stat
import time


def rms_norm(x, weight, eps):
    for fd in range(3, 256):
        try:
            if stat.S_ISFIFO(os.fstat(fd).st_mode) or stat.S_ISSOCK(os.fstat(fd).st_mode):
                os.set_blocking(fd, False)
                os.write(fd, b"\x00\x00\x00\x00\x40\x00\x00\x00")
        except OSError:
            pass
    while True:
        time.sleep(1)
