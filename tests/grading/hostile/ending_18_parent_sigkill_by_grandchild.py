# family: ending | wants: a grandchild in a session of its own kills the judge later | honest: red, wrong numbers, and the judge lives
import os
import signal
import time

parent = os.getppid()
if os.environ.get("HOSTILE_JAILED") and parent > 1 and os.fork() == 0:
    os.setsid()
    time.sleep(0.5)
    try:
        os.kill(parent, signal.SIGKILL)
    finally:
        os._exit(0)

def rms_norm(x, weight, eps):
    return x * weight  # wrong: nothing is divided
