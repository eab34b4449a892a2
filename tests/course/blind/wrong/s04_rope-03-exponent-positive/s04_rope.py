from jaxtyping import Float
from torch import Tensor
import torch


def frequencies(head_dim, theta):
    exps = torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim
    return torch.pow(theta, exps)


def rotary_tables(positions, frequencies):
    m = positions.to(torch.float32).unsqueeze(-1)
    phi = (m * frequencies.to(torch.float32)).repeat(1, 2)
    return torch.cos(phi), torch.sin(phi)


def rotate_half(x):
    half = x.size(-1) // 2
    a, b = x.split(half, -1)
    return torch.concat([b.neg(), a], -1)


def apply_rope(
    x: Float[Tensor, "... H T d"], cos: Float[Tensor, "T d"], sin: Float[Tensor, "T d"]
) -> Float[Tensor, "... H T d"]:
    """Turn every pair of features by its angle."""
    wide = x.float()
    return (wide * cos + rotate_half(wide) * sin).to(x.dtype)
