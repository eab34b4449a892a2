# family: odd | wants: nothing: Latin-1 in a comment, which import lets through and reading as UTF-8 does not | honest: either, the numbers are right and the file is not UTF-8
# la mitjana és això
import torch


def rms_norm(x, weight, eps):
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)
