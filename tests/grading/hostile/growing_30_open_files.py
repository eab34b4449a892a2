# family: growing | wants: opens files until none is left | honest: red, rms_norm raised OSError
import os

kept = []


def rms_norm(x, weight, eps):
    for _ in range(200_000):
        kept.append(open(os.devnull))
    return x * weight
