import torch
from jaxtyping import Float, Int
from torch import Tensor


def frequencies(head_dim: int, theta: float) -> Float[Tensor, " d/2"]:
    """How far each pair of features turns from one position to the next."""
    return theta ** (-torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)


def rotary_tables(positions, frequencies):
    angles = positions[:, None].float() * frequencies[None, :].float()
    angles = angles.repeat_interleave(2, dim=-1)
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
