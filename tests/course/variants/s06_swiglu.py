"""Right ways to write stage 6 that look different."""
# ruff: noqa: F821

import torch
from einops import einsum

from token_journey.course.misconceptions import rewrite


@rewrite("silu", "as a quotient, whose power of e stays below the limit")
def as_a_quotient(x):
    return x / (1 + torch.exp(-x.float().clamp(min=-80))).to(x.dtype)


@rewrite("silu", "by tanh")
def by_tanh(x):
    return x * 0.5 * (1 + torch.tanh(x / 2))


@rewrite("silu", "in float64")
def in_float64(x):
    wide = x.double()
    return (wide * wide.sigmoid()).to(x.dtype)


@rewrite("silu", "with a power of e that never overflows")
def stable(x):
    small = torch.exp(-x.abs())
    return x * torch.where(x >= 0, 1 / (1 + small), small / (1 + small))


@rewrite("swiglu", "by einsum")
def by_einsum(x, w_gate, w_up, w_down):
    gate = einsum(x, w_gate, "... D, F D -> ... F")
    up = einsum(x, w_up, "... D, F D -> ... F")
    return einsum(silu(gate), up, w_down, "... F, ... F, D F -> ... D")


@rewrite("swiglu", "with gate and up in one product")
def in_one_product(x, w_gate, w_up, w_down):
    gate, up = (x @ torch.cat([w_gate, w_up]).T).chunk(2, dim=-1)
    return up * silu(gate) @ w_down.T


@rewrite("swiglu", "neuron by neuron")
def by_neuron(x, w_gate, w_up, w_down):
    out = torch.zeros_like(x)
    for gate, up, down in zip(w_gate, w_up, w_down.T, strict=True):
        out = out + (silu(x @ gate) * (x @ up))[..., None] * down
    return out


@rewrite("swiglu", "in float64")
def swiglu_in_float64(x, w_gate, w_up, w_down):
    wide, gate, up, down = (t.double() for t in (x, w_gate, w_up, w_down))
    return ((silu(wide @ gate.T) * (wide @ up.T)) @ down.T).to(x.dtype)
