"""Right ways to write stage 8 that look different."""
# ruff: noqa: F821  (`rms_norm` is imported by the stage file)

import torch
from einops import einsum
from torch.nn import functional as F

from token_journey.course.misconceptions import rewrite


@rewrite("lm_head", "in float64, back at the end")
def in_float64(x, norm_weight, w_vocab, eps):
    wide = x.double()
    wide = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)
    return (wide @ (norm_weight * w_vocab).double().mT).to(x.dtype)


@rewrite("lm_head", "by einsum")
def by_einsum(x, norm_weight, w_vocab, eps):
    return einsum(rms_norm(x, norm_weight, eps), w_vocab, "... d, v d -> ... v")


@rewrite("lm_head", "the norm's root divided out after the product")
def divided_afterwards(x, norm_weight, w_vocab, eps):
    wide, root = x.float(), (x.float().square().mean(-1, keepdim=True) + eps).sqrt()
    return (wide @ (norm_weight.float() * w_vocab.float()).mT / root).to(x.dtype)


@rewrite("lm_head", "one token after the other")
def by_loop(x, norm_weight, w_vocab, eps):
    rows = [w_vocab @ rms_norm(row, norm_weight, eps) for row in x.reshape(-1, x.shape[-1])]
    return torch.stack(rows).reshape(*x.shape[:-1], len(w_vocab))


@rewrite("lm_head", "the vocabulary in blocks")
def in_blocks(x, norm_weight, w_vocab, eps):
    normalised = rms_norm(x, norm_weight, eps)
    return torch.cat([normalised @ block.mT for block in w_vocab.split(100)], dim=-1)


@rewrite("lm_head", "the gain drawn into the vocabulary's matrix")
def gain_in_the_matrix(x, norm_weight, w_vocab, eps):
    ones = torch.ones_like(norm_weight)
    return F.linear(rms_norm(x, ones, eps), w_vocab * norm_weight)
