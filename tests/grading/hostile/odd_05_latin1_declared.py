# family: odd | wants: nothing: Latin-1, and it says so | honest: green, the numbers are right
# -*- coding: latin-1 -*-
# la mitjana és això
import torch


def rms_norm(x, weight, eps):
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)
