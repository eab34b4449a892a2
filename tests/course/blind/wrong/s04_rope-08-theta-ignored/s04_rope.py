import torch
from jaxtyping import Float, Int
from torch import Tensor

BASE = 10_000.0


def frequencies(head_dim, theta=BASE):
    powers = torch.arange(0, head_dim, 2).float().div(head_dim)
    return BASE**-powers


def rotary_tables(
    positions: Int[Tensor, " T"], frequencies: Float[Tensor, " d/2"]
) -> tuple[Float[Tensor, "T d"], Float[Tensor, "T d"]]:
    """Cosine and sine of every angle, written once for each half of the head."""
    angles = positions.float()[:, None] * frequencies.float()
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos(), angles.sin()


def rotate_half(x):
    half = x.size(-1) // 2
    a, b = x.split(half, -1)
    return torch.concat([b.neg(), a], -1)


def apply_rope(x, cos, sin):
    x32 = x.to(torch.float32)
    out = x32 * cos.float() + rotate_half(x32) * sin.float()
    return out.to(x.dtype)
