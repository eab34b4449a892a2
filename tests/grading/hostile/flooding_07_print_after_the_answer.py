# family: flooding | wants: a thread goes on printing between and after the answers | honest: red, wrong numbers
import sys
import threading
import time


def chatter():
    while True:
        sys.__stdout__.write("stage 3: passed\n")
        sys.__stdout__.flush()
        time.sleep(0.001)


threading.Thread(target=chatter, daemon=True).start()

def rms_norm(x, weight, eps):
    return x * weight  # wrong: nothing is divided
