from jaxtyping import Float
from torch import Tensor
import torch


class RotaryCache:
    def __init__(self):
        self.cos = None
        self.sin = None

    def lookup(self, positions, freqs):
        wanted = positions.tolist()
        hi = max(wanted, default=-1)
        if min(wanted, default=-1) < 0:
            a = torch.outer(positions.float(), freqs.float()).repeat(1, 2)
            return a.cos(), a.sin()
        if self.cos is None or self.cos.shape[0] <= hi or self.cos.shape[1] != 2 * len(freqs):
            a = torch.outer(torch.arange(hi + 1).float(), freqs.float()).repeat(1, 2)
            self.cos, self.sin = a.cos(), a.sin()
        return self.cos[positions.long()], self.sin[positions.long()]


CACHE = RotaryCache()


def frequencies(head_dim: int, theta: float) -> Float[Tensor, " d/2"]:
    """How far each pair of features turns from one position to the next."""
    return theta ** (-torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)


def rotary_tables(positions, frequencies):
    return CACHE.lookup(positions, frequencies)


def rotate_half(x):
    x1 = x[..., : x.shape[-1] // 2]
    x2 = x[..., x.shape[-1] // 2 :]
    return torch.cat((-x2, x1), dim=-1)


def apply_rope(x, cos, sin):
    x32 = x.to(torch.float32)
    out = x32 * cos.float() + rotate_half(x32) * sin.float()
    return out.to(x.dtype)
