"""Right ways to write stage 4 that look different."""

import math

import torch
from einops import rearrange

from token_journey.course.misconceptions import rewrite


@rewrite("frequencies", "by a negative power")
def negative_power(head_dim, theta):
    return theta ** -(torch.arange(0, head_dim, 2).float() / head_dim)


@rewrite("frequencies", "by the exponential of a logarithm")
def exponential(head_dim, theta):
    return torch.exp(-math.log(theta) * torch.arange(0, head_dim, 2).float() / head_dim)


@rewrite("frequencies", "by the exponential of a logarithm, all in float32")
def exponential_in_float32(head_dim, theta):
    step = torch.tensor(theta).log() * 2 / head_dim
    return torch.exp(-step * torch.arange(head_dim // 2))


@rewrite("frequencies", "in float64, by a loop")
def loop(head_dim, theta):
    return torch.tensor([1 / theta ** (2 * i / head_dim) for i in range(head_dim // 2)])


@rewrite("frequencies", "by powers of the first ratio, in float64")
def powers_of_the_ratio(head_dim, theta):
    ratio = torch.tensor(theta ** (-2 / head_dim), dtype=torch.float64)
    return (ratio ** torch.arange(head_dim // 2)).float()


@rewrite("rotary_tables", "by an outer product in float64")
def outer(positions, frequencies):
    angles = torch.outer(positions.double(), frequencies.double())
    return tuple(torch.cat([f(angles)] * 2, dim=-1).float() for f in (torch.cos, torch.sin))


@rewrite("rotary_tables", "by einsum, in float32")
def by_einsum(positions, frequencies):
    angles = torch.einsum("t,f->tf", positions.float(), frequencies).repeat(1, 2)
    return angles.cos(), angles.sin()


@rewrite("rotary_tables", "as complex numbers")
def complex_tables(positions, frequencies):
    angles = positions.unsqueeze(-1) * frequencies
    turns = torch.polar(torch.ones_like(angles), angles).repeat(1, 2)
    return [turns.real, turns.imag]


@rewrite("rotate_half", "by slices into an empty tensor")
def slices(x):
    half = x.shape[-1] // 2
    turned = torch.empty_like(x)
    turned[..., :half] = -x[..., half:]
    turned[..., half:] = x[..., :half]
    return turned


@rewrite("rotate_half", "by einops")
def by_einops(x):
    first, second = rearrange(x, "... (two half) -> two ... half", two=2)
    return rearrange([-second, first], "two ... half -> ... (two half)")


@rewrite("rotate_half", "by a matrix")
def by_matrix(x):
    half = x.shape[-1] // 2
    one, none = torch.eye(half, dtype=x.dtype), torch.zeros(half, half, dtype=x.dtype)
    return x @ torch.cat([torch.cat([none, one], 1), torch.cat([-one, none], 1)])


@rewrite("rotate_half", "by roll and a sign")
def by_roll(x):
    half = x.shape[-1] // 2
    return x.roll(half, dims=-1) * (torch.arange(2 * half) >= half).to(x.dtype).mul(2).sub(1)


@rewrite("apply_rope", "as complex numbers in float64")
def by_complex(x, cos, sin):
    half = x.shape[-1] // 2
    first, second = x.double().chunk(2, dim=-1)
    turns = torch.complex(cos[..., :half].double(), sin[..., :half].double())
    turned = torch.complex(first, second) * turns
    return torch.cat([turned.real, turned.imag], dim=-1).to(x.dtype)


@rewrite("apply_rope", "each half by its own formula")
def half_by_half(x, cos, sin):
    first, second = x.float().chunk(2, dim=-1)
    (cos1, cos2), (sin1, sin2) = cos.chunk(2, dim=-1), sin.chunk(2, dim=-1)
    turned = first * cos1 - second * sin1, second * cos2 + first * sin2
    return torch.cat(turned, dim=-1).type_as(x)


@rewrite("apply_rope", "token by token, by rotation matrices")
def by_matrices(x, cos, sin):
    d = x.shape[-1]
    tokens = []
    for t in range(x.shape[-2]):
        turn = torch.diag(cos[t])
        i = torch.arange(d // 2)
        turn[i, i + d // 2] = -sin[t, : d // 2]
        turn[i + d // 2, i] = sin[t, d // 2 :]
        tokens.append(x[..., t, :].float() @ turn.mT)
    return torch.stack(tokens, dim=-2).to(x.dtype)
