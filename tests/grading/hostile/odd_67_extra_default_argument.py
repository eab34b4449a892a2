# family: odd | wants: nothing: an argument more, with a default | honest: green, the numbers are right
import torch


def rms_norm(x, weight, eps, dim=-1, *, debug=False, **more):
    wide = x.float()
    return (weight * wide * torch.rsqrt(wide.square().mean(dim, keepdim=True) + eps)).to(x.dtype)
