"""Stage 4: each pair of features alone, in a loop."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor


def frequencies(head_dim: int, theta: float) -> Float[Tensor, " d/2"]:
    log_theta = math.log(theta)
    angles = [math.exp(-2 * i * log_theta / head_dim) for i in range(head_dim // 2)]
    return torch.tensor(angles, dtype=torch.float32)


def rotary_tables(
    positions: Int[Tensor, " T"], frequencies: Float[Tensor, " d/2"]
) -> tuple[Float[Tensor, "T d"], Float[Tensor, "T d"]]:
    spots = positions.to(torch.float64)
    columns = [spots * f for f in frequencies.to(torch.float64)]
    columns = columns + columns
    cos = torch.stack([c.cos() for c in columns], dim=1)
    sin = torch.stack([c.sin() for c in columns], dim=1)
    return cos.to(torch.float32), sin.to(torch.float32)


def _pairs(x):
    n = x.shape[-1] // 2
    return [(x[..., i], x[..., i + n]) for i in range(n)]


def rotate_half(x: Float[Tensor, "... d"]) -> Float[Tensor, "... d"]:
    pairs = _pairs(x)
    return torch.stack([-b for _, b in pairs] + [a for a, _ in pairs], dim=-1)


def apply_rope(
    x: Float[Tensor, "... H T d"], cos: Float[Tensor, "T d"], sin: Float[Tensor, "T d"]
) -> Float[Tensor, "... H T d"]:
    n = x.shape[-1] // 2
    firsts, seconds = [], []
    for i, (a, b) in enumerate(_pairs(x)):
        firsts.append(a * cos[:, i] - b * sin[:, i])
        seconds.append(b * cos[:, i + n] + a * sin[:, i + n])
    return torch.stack(firsts + seconds, dim=-1).to(x.dtype)
