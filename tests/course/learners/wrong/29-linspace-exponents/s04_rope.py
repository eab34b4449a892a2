"""Stage 4 RoPE."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor


def frequencies(head_dim: int, theta: float) -> Float[Tensor, " d/2"]:
    exponents = np.linspace(0.0, 1.0, head_dim // 2)
    return torch.tensor(theta**-exponents, dtype=torch.float32)


def rotary_tables(
    positions: Int[Tensor, " T"], frequencies: Float[Tensor, " d/2"]
) -> tuple[Float[Tensor, "T d"], Float[Tensor, "T d"]]:
    ang = torch.outer(positions.to(torch.float32), frequencies)
    return torch.hstack((ang.cos(), ang.cos())), torch.hstack((ang.sin(), ang.sin()))


def rotate_half(x: Float[Tensor, "... d"]) -> Float[Tensor, "... d"]:
    n = x.shape[-1] // 2
    return torch.concatenate((-x[..., n:], x[..., :n]), dim=-1)


def apply_rope(
    x: Float[Tensor, "... H T d"], cos: Float[Tensor, "T d"], sin: Float[Tensor, "T d"]
) -> Float[Tensor, "... H T d"]:
    y = x * cos + rotate_half(x) * sin
    return y.to(x.dtype)
