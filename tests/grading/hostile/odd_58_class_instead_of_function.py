# family: odd | wants: a class called rms_norm, that makes the tensor in __new__ | honest: green, the numbers are right
import torch


class rms_norm:
    def __new__(cls, x, weight, eps):
        wide = x.float()
        return (weight * wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)
