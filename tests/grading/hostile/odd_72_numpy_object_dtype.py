# family: odd | wants: a NumPy array of Python objects | honest: red, the answer is not a tensor
import numpy as np


def rms_norm(x, weight, eps):
    out = np.empty(tuple(x.shape), dtype=object)
    out[...] = rms_norm
    return out
