from jaxtyping import Float
from torch import Tensor
import torch


def frequencies(head_dim: int, theta: float) -> Float[Tensor, " d/2"]:
    """How far each pair of features turns from one position to the next."""
    return theta ** (-torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)


def rotary_tables(positions, frequencies):
    freqs = torch.outer(positions.float(), frequencies.float())
    emb = torch.cat((freqs, freqs), dim=-1)
    return emb.cos(), emb.sin()


def rotate_half(x):
    out = torch.zeros(x.shape)
    n = x.shape[-1] // 2
    out[..., :n] = -x[..., n:]
    out[..., n:] = x[..., :n]
    return out


def apply_rope(
    x: Float[Tensor, "... H T d"], cos: Float[Tensor, "T d"], sin: Float[Tensor, "T d"]
) -> Float[Tensor, "... H T d"]:
    """Turn every pair of features by its angle."""
    wide = x.float()
    return (wide * cos + rotate_half(wide) * sin).to(x.dtype)
