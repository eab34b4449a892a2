import torch


def frequencies(head_dim, theta):
    inv_freq = 1.0 / (theta ** (torch.arange(0, head_dim, 2).float() / head_dim))
    return inv_freq


def rotary_tables(positions, frequencies):
    p = positions.to(torch.bfloat16)
    ang = (p[:, None] * frequencies.to(torch.bfloat16)).float()
    ang = torch.cat((ang, ang), dim=1)
    return ang.cos(), ang.sin()


def rotate_half(x):
    """A quarter turn of every pair: (first half, second half) -> (−second, first)."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat((-second, first), dim=-1)


def apply_rope(x, cos, sin):
    """Turn every pair of features by its angle."""
    wide = x.float()
    return (wide * cos + rotate_half(wide) * sin).to(x.dtype)
