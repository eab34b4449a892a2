import math

import torch


def frequencies(head_dim, theta):
    # angle per position of each pair
    return torch.tensor([math.degrees(theta ** (-k / head_dim)) for k in range(0, head_dim, 2)])


def rotary_tables(positions, frequencies):
    m = positions.to(torch.float32).unsqueeze(-1)
    phi = (m * frequencies.to(torch.float32)).repeat(1, 2)
    return torch.cos(phi), torch.sin(phi)


def rotate_half(x):
    x1 = x[..., : x.shape[-1] // 2]
    x2 = x[..., x.shape[-1] // 2 :]
    return torch.cat((-x2, x1), dim=-1)


def apply_rope(x, cos, sin):
    """Turn every pair of features by its angle."""
    wide = x.float()
    return (wide * cos + rotate_half(wide) * sin).to(x.dtype)
