# family: odd | wants: nothing: the arguments are called a, b, c | honest: either, green where they are given by place, red where by name
import torch


def rms_norm(a, b, c):
    wide = a.float()
    return (b * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + c)).to(a.dtype)
