import functools

import torch
from einops import rearrange


def keep_dtype(f):
    @functools.wraps(f)
    def g(x, *tables):
        return f(x.float(), *tables).to(x.dtype)

    return g


@functools.cache
def _powers(head_dim, theta):
    return tuple(theta ** (-2 * i / head_dim) for i in range(head_dim // 2))


def frequencies(head_dim, theta):
    return torch.tensor(_powers(head_dim, theta), dtype=torch.float32)


def rotary_tables(positions, frequencies):
    angle = positions.to(torch.float32)[..., None] * frequencies.to(torch.float32)[None, ...]
    both = angle.repeat(1, 2)
    return both.cos(), both.sin()


def rotate_half(x):
    return rearrange(
        torch.stack([x[..., x.shape[-1] // 2 :].neg(), x[..., : x.shape[-1] // 2]]),
        "two ... half -> ... (two half)",
    )


@keep_dtype
def apply_rope(x, cos, sin):
    neighbours = rearrange(x, "... (two half) -> ... half two", two=2)
    c = rearrange(cos, "t (two half) -> t half two", two=2)
    s = rearrange(sin, "t (two half) -> t half two", two=2)
    a, b = neighbours[..., 0], neighbours[..., 1]
    turned = torch.stack([a * c[..., 0] - b * s[..., 0], b * c[..., 1] + a * s[..., 1]], dim=-1)
    return rearrange(turned, "... half two -> ... (two half)")
