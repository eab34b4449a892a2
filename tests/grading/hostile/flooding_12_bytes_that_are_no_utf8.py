# family: flooding | wants: bytes that are no UTF-8 on stdout and stderr | honest: red, wrong numbers
import os


def rms_norm(x, weight, eps):
    os.write(1, bytes(range(128, 256)) * 100)
    os.write(2, b"\xff\xfe\xed\xa0\x80" * 100)
    return x * weight
