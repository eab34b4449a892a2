# family: odd | wants: nothing: the answer is float64 | honest: red, wrong dtype
import torch

def _true(x, weight, eps):
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)


def rms_norm(x, weight, eps):
    return _true(x, weight, eps).double()
