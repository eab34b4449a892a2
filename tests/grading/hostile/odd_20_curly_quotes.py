# family: odd | wants: nothing: curly quotes, copied from a text program | honest: red, the file cannot be read as Python
NAME = “rms”
import torch


def rms_norm(x, weight, eps):
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)
