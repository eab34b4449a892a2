import torch


def frequencies(head_dim, theta):
    twice_i = torch.arange(0, head_dim, 2)
    exponent = twice_i.to(torch.float32) / head_dim
    return 1 / theta**exponent


def rotary_tables(positions, frequencies):
    angles = positions.unsqueeze(-1) * frequencies
    both = torch.cat((angles, angles), dim=-1)
    return torch.cos(both), torch.sin(both)


def rotate_half(x):
    half = x.shape[-1] // 2
    return torch.cat((-x[..., half:], x[..., :half]), dim=-1)


def apply_rope(x, cos, sin):
    turned = x * cos + rotate_half(x) * sin
    return turned.to(x.dtype)
