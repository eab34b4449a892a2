# family: hanging | wants: forty children sleep five minutes, each in a session of its own | honest: red, wrong numbers, and no child is left
import os
import socket
import time

for n in range(40):
    if os.fork() == 0:
        os.setsid()
        try:  # never more than forty at a time, however often this file is loaded
            taken = socket.socket(socket.AF_UNIX)
            taken.bind(f"\0hostile-forty-{n}")
        except OSError:
            os._exit(0)
        time.sleep(300)
        os._exit(0)

def rms_norm(x, weight, eps):
    return x * weight  # wrong: nothing is divided
