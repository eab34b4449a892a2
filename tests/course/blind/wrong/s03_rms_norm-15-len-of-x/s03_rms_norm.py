import math

import torch


def rms_norm(x, weight, eps):
    n = len(x)
    y = x.float()
    rms = torch.sqrt(torch.sum(y * y, -1, keepdim=True) / n + eps)
    return (y / rms * weight.float()).to(x.dtype)
