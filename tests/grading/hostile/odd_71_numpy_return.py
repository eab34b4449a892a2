# family: odd | wants: nothing: the answer is a NumPy array | honest: red, the answer is not a tensor
import numpy as np


def rms_norm(x, weight, eps):
    a = x.detach().float().numpy()
    return a / np.sqrt((a * a).mean(-1, keepdims=True) + eps) * weight.detach().float().numpy()
