import torch


def frequencies(head_dim, theta):
    d = head_dim
    return torch.tensor([theta ** (-2 * i / d) for i in range(d // 2)], dtype=torch.float32)


def rotary_tables(positions, frequencies):
    angles = torch.outer(positions.float(), frequencies.float())
    return angles.cos(), angles.sin()


def rotate_half(x):
    x1 = x[..., : x.shape[-1] // 2]
    x2 = x[..., x.shape[-1] // 2 :]
    return torch.cat((-x2, x1), dim=-1)


def apply_rope(x, cos, sin):
    cos = torch.cat([cos, cos], -1) if cos.shape[-1] != x.shape[-1] else cos
    sin = torch.cat([sin, sin], -1) if sin.shape[-1] != x.shape[-1] else sin
    y = x.float()
    return (y * cos + rotate_half(y) * sin).to(x.dtype)
