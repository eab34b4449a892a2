"""Right ways to write stage 3 that look different."""

import torch
from einops import einsum, reduce

from token_journey.course.misconceptions import rewrite


@rewrite("rms_norm", "in float64, by rsqrt")
def in_float64(x, weight, eps):
    wide = x.double()
    return (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps) * weight).to(x.dtype)


@rewrite("rms_norm", "as transformers writes it, and back at the dtype of x")
def as_transformers(x, weight, eps):
    input_dtype = x.dtype
    x = x.to(torch.float32)
    variance = x.pow(2).mean(-1, keepdim=True)
    x = x * torch.rsqrt(variance + eps)
    return (weight * x.to(input_dtype)).to(input_dtype)


@rewrite("rms_norm", "by the length of the vector")
def by_length(x, weight, eps):
    wide = x.double()
    length = wide.norm(dim=-1, keepdim=True)
    return (wide * weight / torch.sqrt(length**2 / x.shape[-1] + eps)).to(x.dtype)


@rewrite("rms_norm", "by einsum")
def by_einsum(x, weight, eps):
    wide = x.float()
    mean_square = einsum(wide, wide, "... D, ... D -> ...") / wide.shape[-1]
    scale = (mean_square + eps) ** -0.5
    return einsum(wide, scale, weight.float(), "... D, ..., D -> ... D").to(x.dtype)


@rewrite("rms_norm", "vector by vector, in a loop")
def by_loop(x, weight, eps):
    rows = x.float().reshape(-1, x.shape[-1])
    out = []
    for row in rows:
        mean_square = sum(number * number for number in row) / len(row)
        out.append(row / (mean_square + eps) ** 0.5 * weight.float())
    return torch.stack(out).reshape(x.shape).to(x.dtype)


@rewrite("rms_norm", "by einops' reduce")
def by_reduce(x, weight, eps):
    mean_square = reduce(x.float() ** 2, "... D -> ... 1", "mean")
    return (x / (mean_square + eps).sqrt() * weight).type_as(x)
