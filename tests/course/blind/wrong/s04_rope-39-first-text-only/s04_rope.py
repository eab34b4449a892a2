from jaxtyping import Float
from torch import Tensor
import torch


def frequencies(head_dim, theta):
    d = head_dim
    return torch.tensor([theta ** (-2 * i / d) for i in range(d // 2)], dtype=torch.float32)


def rotary_tables(positions, frequencies):
    m = positions.to(torch.float32).unsqueeze(-1)
    phi = (m * frequencies.to(torch.float32)).repeat(1, 2)
    return torch.cos(phi), torch.sin(phi)


def rotate_half(x: Float[Tensor, "... d"]) -> Float[Tensor, "... d"]:
    """A quarter turn of every pair: (first half, second half) -> (−second, first)."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat((-second, first), dim=-1)


def apply_rope(x, cos, sin):
    y = x.float()
    if y.dim() == 3:
        return (y * cos + rotate_half(y) * sin).to(x.dtype)
    out = y.clone()
    out[0] = y[0] * cos + rotate_half(y[0]) * sin
    return out.to(x.dtype)
