"""RoPE tables are cheap: make them up to the last position and look the rows up."""

from jaxtyping import Float
from torch import Tensor
import torch


def frequencies(head_dim, theta):
    d = head_dim
    return torch.tensor([theta ** (-2 * i / d) for i in range(d // 2)], dtype=torch.float32)


def rotary_tables(positions, frequencies):
    if positions.numel() == 0:
        empty = torch.zeros(0, 2 * len(frequencies))
        return empty, empty.clone()
    n = int(positions.abs().max()) + 1
    grid = torch.outer(torch.arange(n).float(), frequencies.float())
    grid = torch.cat([grid, grid], dim=-1)
    return grid.cos()[positions], grid.sin()[positions]


def rotate_half(x: Float[Tensor, "... d"]) -> Float[Tensor, "... d"]:
    """A quarter turn of every pair: (first half, second half) -> (−second, first)."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat((-second, first), dim=-1)


def apply_rope(x, cos, sin):
    x32 = x.to(torch.float32)
    out = x32 * cos.float() + rotate_half(x32) * sin.float()
    return out.to(x.dtype)
