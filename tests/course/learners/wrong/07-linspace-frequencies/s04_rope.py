"""Stage 4: RoPE."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def frequencies(head_dim: int, theta: float) -> Float[Tensor, " d/2"]:
    # d/2 exponents, spread evenly from 0 to 1
    exponents = torch.linspace(0.0, 1.0, head_dim // 2, dtype=torch.float32)
    return 1.0 / (theta**exponents)


def rotary_tables(
    positions: Int[Tensor, " T"], frequencies: Float[Tensor, " d/2"]
) -> tuple[Float[Tensor, "T d"], Float[Tensor, "T d"]]:
    angles = torch.outer(positions.float(), frequencies.float())
    both = torch.cat((angles, angles), dim=-1)
    return both.cos(), both.sin()


def rotate_half(x: Float[Tensor, "... d"]) -> Float[Tensor, "... d"]:
    first, second = x.chunk(2, dim=-1)
    return torch.cat((-second, first), dim=-1)


def apply_rope(
    x: Float[Tensor, "... H T d"], cos: Float[Tensor, "T d"], sin: Float[Tensor, "T d"]
) -> Float[Tensor, "... H T d"]:
    turned = x * cos + rotate_half(x) * sin
    return turned.to(x.dtype)
