# family: crashing | wants: the process dies by SIGSEGV | honest: red, the process crashed
import ctypes


def rms_norm(x, weight, eps):
    ctypes.string_at(0)
