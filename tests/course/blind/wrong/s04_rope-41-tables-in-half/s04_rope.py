import torch
from jaxtyping import Float, Int
from torch import Tensor


def frequencies(head_dim: int, theta: float) -> Float[Tensor, " d/2"]:
    """How far each pair of features turns from one position to the next."""
    return theta ** (-torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)


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


def apply_rope(x, cos, sin):
    cos = cos.to(x.dtype)
    sin = sin.to(x.dtype)
    return (x * cos) + (rotate_half(x) * sin)
