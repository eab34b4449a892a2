# family: growing | wants: ten children take 600 MB each: no single one is large | honest: red, the processes used too much memory together, or wrong numbers
import os
import socket
import time


def rms_norm(x, weight, eps):
    for n in range(10):
        if os.fork() == 0:
            try:  # never more than ten at a time
                taken = socket.socket(socket.AF_UNIX)
                taken.bind(f"\0hostile-ten-{n}")
            except OSError:
                os._exit(0)
            kept = b"x" * 600_000_000
            time.sleep(20)
            os._exit(len(kept) % 2)
    time.sleep(1)
    return x * weight
