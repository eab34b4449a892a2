import torch


def rms_norm(x, weight, eps):
    dtype = x.dtype
    if dtype == torch.float16:  # overflows above 65504
        x, weight = x.float(), weight.float()
    x = x * torch.rsqrt(torch.mean(x * x, dim=-1, keepdim=True) + eps)
    return (x * weight).to(dtype)
