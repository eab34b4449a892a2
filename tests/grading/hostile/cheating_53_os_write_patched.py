# family: cheating | wants: the worker's own writes are thrown away once, then its answers lie one question behind | honest: red, wrong numbers or no answer in time
import os

_write, held = os.write, []


def write(fd, data):
    if fd > 2:
        held.append(bytes(data))
        if len(held) > 1:
            _write(fd, held[-2])
        return len(data)
    return _write(fd, data)


os.write = write

def rms_norm(x, weight, eps):
    return x * weight  # wrong: nothing is divided
