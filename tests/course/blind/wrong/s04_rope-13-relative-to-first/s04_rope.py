"""Solo importa la distancia, así que la primera posición puede ser 0."""

import torch


def frequencies(head_dim, theta):
    d = head_dim
    return torch.tensor([theta ** (-2 * i / d) for i in range(d // 2)], dtype=torch.float32)


def rotary_tables(positions, frequencies):
    m = (positions - positions[:1]).float()
    ang = torch.einsum("t,f->tf", m, frequencies.float())
    ang = torch.cat((ang, ang), -1)
    return torch.cos(ang), torch.sin(ang)


def rotate_half(x):
    half = x.size(-1) // 2
    a, b = x.split(half, -1)
    return torch.concat([b.neg(), a], -1)


def apply_rope(x, cos, sin):
    return (x * cos + rotate_half(x) * sin).type_as(x)
