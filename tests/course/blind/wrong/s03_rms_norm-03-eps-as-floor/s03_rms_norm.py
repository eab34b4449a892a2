import torch


def rms_norm(x, weight, eps):
    orig = x.dtype
    x = x.to(torch.float32)
    ms = (x * x).mean(dim=-1, keepdim=True)
    ms = torch.clamp(ms, min=eps)  # no division by 0
    return (x / ms.sqrt() * weight).to(orig)
