# family: hanging | wants: a lock taken twice | honest: red, no answer came in time
import threading


def rms_norm(x, weight, eps):
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()
