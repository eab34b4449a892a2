# family: flooding | wants: a million NULs on stdout, and in the message | honest: red, rms_norm raised ValueError
import os


def rms_norm(x, weight, eps):
    os.write(1, b"\0" * 10**6)
    raise ValueError("before\0after")
