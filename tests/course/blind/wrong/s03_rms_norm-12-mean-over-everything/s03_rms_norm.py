"""Normalise."""

import torch


def rms_norm(x, weight, eps):
    f = x.to(torch.float32)
    rms = torch.sqrt(torch.mean(f**2) + eps)
    return (weight.float() * f / rms).to(x.dtype)
