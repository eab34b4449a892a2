# RoPE, versió de classe
from jaxtyping import Float
from torch import Tensor
import torch


def frequencies(head_dim, theta):
    freqs = []
    for i in range(1, head_dim // 2 + 1):
        freqs.append(theta ** (-2 * i / head_dim))
    return torch.tensor(freqs, dtype=torch.float32)


def rotary_tables(positions, frequencies):
    m = positions.to(torch.float32).unsqueeze(-1)
    phi = (m * frequencies.to(torch.float32)).repeat(1, 2)
    return torch.cos(phi), torch.sin(phi)


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
