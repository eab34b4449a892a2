import torch


def frequencies(head_dim, theta):
    inv_freq = 1.0 / (theta ** (torch.arange(0, head_dim, 2).float() / head_dim))
    return inv_freq


def rotary_tables(positions, frequencies):
    a = torch.outer(positions.float(), frequencies.float())
    cos = torch.cat([a.cos(), a.cos()], dim=-1)
    sin = torch.cat([-a.sin(), a.sin()], dim=-1)
    return cos, sin


def rotate_half(x):
    """A quarter turn of every pair: (first half, second half) -> (−second, first)."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat((-second, first), dim=-1)


def apply_rope(x, cos, sin):
    x32 = x.to(torch.float32)
    out = x32 * cos.float() + rotate_half(x32) * sin.float()
    return out.to(x.dtype)
