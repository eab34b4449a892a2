"""RoPE, apunts de classe."""

import torch


def frequencies(head_dim, theta):
    meitat = head_dim // 2
    return torch.tensor([1.0 / theta ** (i / head_dim) for i in range(meitat)])


def rotary_tables(positions, frequencies):
    angles = positions.float().view(-1, 1) @ frequencies.float().view(1, -1)
    c, s = angles.cos(), angles.sin()
    return torch.cat([c, c], 1), torch.cat([s, s], 1)


def rotate_half(x):
    meitat = x.shape[-1] // 2
    esquerra, dreta = x[..., :meitat], x[..., meitat:]
    return torch.cat([-dreta, esquerra], -1)


def apply_rope(x, cos, sin):
    return x * cos + rotate_half(x) * sin
