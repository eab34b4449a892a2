"""Stage 4 · RoPE."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def frequencies(head_dim: int, theta: float) -> Float[Tensor, " d/2"]:
    i = torch.arange(head_dim // 2, dtype=torch.float32)
    return theta ** (-i / head_dim)


def rotary_tables(
    positions: Int[Tensor, " T"], frequencies: Float[Tensor, " d/2"]
) -> tuple[Float[Tensor, "T d"], Float[Tensor, "T d"]]:
    """Cosine and sine of every angle, written once for each half of the head."""
    angles = positions.float()[:, None] * frequencies.float()
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos(), angles.sin()


def rotate_half(x: Float[Tensor, "... d"]) -> Float[Tensor, "... d"]:
    """A quarter turn of every pair: (first half, second half) -> (−second, first)."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat((-second, first), dim=-1)


def apply_rope(
    x: Float[Tensor, "... H T d"], cos: Float[Tensor, "T d"], sin: Float[Tensor, "T d"]
) -> Float[Tensor, "... H T d"]:
    """Turn every pair of features by its angle."""
    wide = x.float()
    return (wide * cos + rotate_half(wide) * sin).to(x.dtype)
