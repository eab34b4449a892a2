import torch


def rms_norm(x, weight, eps):
    g = x.float() * weight.float()
    ms = torch.mean(g * g, dim=-1, keepdim=True)
    return (g * torch.rsqrt(ms + eps)).to(x.dtype)
