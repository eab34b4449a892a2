import torch


def frequencies(head_dim, theta):
    """How far each pair of features turns from one position to the next."""
    return theta ** (-torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)


def rotary_tables(positions, frequencies):
    angles = positions.float().unsqueeze(1) * frequencies.float().unsqueeze(0)
    angles = torch.hstack([angles, angles])
    return torch.sin(angles), torch.cos(angles)


def rotate_half(x):
    half = x.size(-1) // 2
    a, b = x.split(half, -1)
    return torch.concat([b.neg(), a], -1)


def apply_rope(x, cos, sin):
    return (x * cos + rotate_half(x) * sin).type_as(x)
