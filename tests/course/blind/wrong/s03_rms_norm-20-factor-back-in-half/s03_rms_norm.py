import torch


def rms_norm(x, weight, eps):
    inv = torch.rsqrt(x.float().pow(2).mean(-1, keepdim=True) + eps)
    return x * inv.to(x.dtype) * weight.to(x.dtype)
