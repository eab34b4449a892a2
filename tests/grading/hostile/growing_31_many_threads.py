# family: growing | wants: two thousand threads | honest: red, wrong numbers or rms_norm raised RuntimeError
import threading
import time


def rms_norm(x, weight, eps):
    if threading.active_count() < 100:
        for _ in range(2_000):
            threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
    return x * weight
