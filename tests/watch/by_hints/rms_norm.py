import torch


def rms_norm(x, weight, eps):
    wide = x.to(torch.float32)
    mean = (wide * wide).mean(-1, keepdim=True)
    normed = wide / torch.sqrt(mean + eps)
    return (normed * weight).to(x.dtype)
