import torch


def rms_norm(x, weight, eps):
    ms = x.pow(2).float().mean(dim=-1, keepdim=True)
    y = x.float() * torch.rsqrt(ms + eps)
    return (y * weight.float()).to(x.dtype)
