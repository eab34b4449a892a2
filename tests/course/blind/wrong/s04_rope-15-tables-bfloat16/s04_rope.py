import torch
from jaxtyping import Float, Int
from torch import Tensor


def frequencies(head_dim, theta):
    d = head_dim
    return torch.tensor([theta ** (-2 * i / d) for i in range(d // 2)], dtype=torch.float32)


def rotary_tables(positions, frequencies):
    angles = torch.outer(positions.float(), frequencies.float())
    both = torch.cat((angles, angles), dim=-1)
    return both.cos().bfloat16(), both.sin().bfloat16()


def rotate_half(x):
    x1 = x[..., : x.shape[-1] // 2]
    x2 = x[..., x.shape[-1] // 2 :]
    return torch.cat((-x2, x1), dim=-1)


def apply_rope(x, cos, sin):
    x32 = x.to(torch.float32)
    out = x32 * cos.float() + rotate_half(x32) * sin.float()
    return out.to(x.dtype)
