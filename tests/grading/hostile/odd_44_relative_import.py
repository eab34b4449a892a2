# family: odd | wants: nothing: from . import helper | honest: red, the file raised ImportError while it was loaded
import torch

from . import helper

def rms_norm(x, weight, eps):
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)
