import torch
from jaxtyping import Float, Int
from torch import Tensor


def frequencies(head_dim, theta):
    return theta ** -torch.linspace(0, 1, head_dim // 2)


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
    return (x * cos + rotate_half(x) * sin).type_as(x)
