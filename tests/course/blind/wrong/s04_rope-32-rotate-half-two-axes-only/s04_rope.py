import torch
from jaxtyping import Float, Int
from torch import Tensor


def frequencies(head_dim, theta):
    inv_freq = 1.0 / (theta ** (torch.arange(0, head_dim, 2).float() / head_dim))
    return inv_freq


def rotary_tables(positions, frequencies):
    m = positions.to(torch.float32).unsqueeze(-1)
    phi = (m * frequencies.to(torch.float32)).repeat(1, 2)
    return torch.cos(phi), torch.sin(phi)


def rotate_half(x):
    mid = x.shape[-1] // 2
    return torch.cat((-x[:, mid:], x[:, :mid]), dim=1)


def apply_rope(x, cos, sin):
    flat = x.float().reshape(-1, x.shape[-1])
    n = flat.shape[0] // max(cos.shape[0], 1)
    out = flat * cos.repeat(n, 1) + rotate_half(flat) * sin.repeat(n, 1)
    return out.reshape(x.shape).to(x.dtype)
