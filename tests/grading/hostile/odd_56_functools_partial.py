# family: odd | wants: a partial without __name__, __code__ and __module__ of its own | honest: green, the numbers are right
import functools

import torch


def norm(power, x, weight, eps):
    wide = x.float()
    return (weight * wide * (wide.square().mean(-1, keepdim=True) + eps) ** power).to(x.dtype)


rms_norm = functools.partial(norm, -0.5)
