"""As in the paper: (x0, x1), (x2, x3), ..."""

import torch


def frequencies(head_dim, theta):
    inv_freq = 1.0 / (theta ** (torch.arange(0, head_dim, 2).float() / head_dim))
    return inv_freq


def rotary_tables(positions, frequencies):
    sinusoid = torch.einsum("i,j->ij", positions.float(), frequencies.float())
    sinusoid = torch.repeat_interleave(sinusoid, 2, dim=1)
    return torch.cos(sinusoid), torch.sin(sinusoid)


def rotate_half(x):
    x1 = x[..., ::2]
    x2 = x[..., 1::2]
    return torch.stack((-x2, x1), dim=-1).flatten(-2)


def apply_rope(x, cos, sin):
    x32 = x.to(torch.float32)
    out = x32 * cos.float() + rotate_half(x32) * sin.float()
    return out.to(x.dtype)
