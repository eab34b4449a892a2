import torch


def rms_norm(x, weight, eps):
    """out = weight * x / sqrt(var + eps)"""
    xf = x.float()
    variance = xf.var(dim=-1, keepdim=True, unbiased=False)
    return (weight.float() * xf / torch.sqrt(variance + eps)).to(x.dtype)
