# family: odd | wants: nothing: no newline after the last line | honest: green, the numbers are right
import torch


def rms_norm(x, weight, eps):
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)