from jaxtyping import Float, Int
from torch import Tensor
import torch


def frequencies(head_dim, theta):
    inv_freq = 1.0 / (theta ** (torch.arange(0, head_dim, 2).float() / head_dim))
    return inv_freq


def rotary_tables(
    positions: Int[Tensor, " T"], frequencies: Float[Tensor, " d/2"]
) -> tuple[Float[Tensor, "T d"], Float[Tensor, "T d"]]:
    """Cosine and sine of every angle, written once for each half of the head."""
    angles = positions.float()[:, None] * frequencies.float()
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos(), angles.sin()


def rotate_half(x):
    x1 = x[..., : x.shape[-1] // 2]
    x2 = x[..., x.shape[-1] // 2 :]
    return torch.cat((-x2, x1), dim=-1)


def apply_rope(x, cos, sin):
    h = x.shape[-1] // 2
    a, b = x[..., :h].float(), x[..., h:].float()
    c, s = cos[:, :h], sin[:, :h]
    a = a * c - b * s
    b = b * c + a * s
    return torch.cat((a, b), dim=-1).to(x.dtype)
