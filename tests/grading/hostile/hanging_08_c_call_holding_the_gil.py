# family: hanging | wants: sleeps in C and keeps the interpreter's lock: no thread of the process can time it | honest: red, no answer came in time
import ctypes


def rms_norm(x, weight, eps):
    ctypes.PyDLL(None).sleep(1_000_000)
    return x
