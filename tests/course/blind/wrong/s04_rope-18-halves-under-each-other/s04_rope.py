import torch
from jaxtyping import Float, Int
from torch import Tensor


def frequencies(head_dim: int, theta: float) -> Float[Tensor, " d/2"]:
    """How far each pair of features turns from one position to the next."""
    return theta ** (-torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)


def rotary_tables(positions, frequencies):
    angles = positions.float()[:, None] * frequencies.float()[None]
    angles = torch.cat((angles, angles))
    return angles.cos(), angles.sin()


def rotate_half(x):
    x1 = x[..., : x.shape[-1] // 2]
    x2 = x[..., x.shape[-1] // 2 :]
    return torch.cat((-x2, x1), dim=-1)


def apply_rope(
    x: Float[Tensor, "... H T d"], cos: Float[Tensor, "T d"], sin: Float[Tensor, "T d"]
) -> Float[Tensor, "... H T d"]:
    """Turn every pair of features by its angle."""
    wide = x.float()
    return (wide * cos + rotate_half(wide) * sin).to(x.dtype)
