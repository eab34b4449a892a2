# family: crashing | wants: a traceback of 100,000 frames | honest: red, rms_norm raised ZeroDivisionError
import sys

sys.setrecursionlimit(200_000)


def down(n):
    return 1 / 0 if n == 0 else down(n - 1)


def rms_norm(x, weight, eps):
    return down(100_000)
