"""Stage 5: softmax over blocks of keys with a running maximum and a running sum."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from einops import rearrange, repeat
from jaxtyping import Bool, Float
from torch import Tensor

from .s04_rope import apply_rope

BLOCK = 3


def split_heads(x: Float[Tensor, "... T H*d"], n_heads: int) -> Float[Tensor, "... H T d"]:
    return torch.stack(x.chunk(n_heads, dim=-1), dim=-3)


def merge_heads(x: Float[Tensor, "... H T d"]) -> Float[Tensor, "... T H*d"]:
    return torch.cat(x.unbind(dim=-3), dim=-1)


def repeat_kv(x: Float[Tensor, "... K T d"], n_groups: int) -> Float[Tensor, "... H T d"]:
    return torch.stack([x] * n_groups, dim=-3).flatten(-4, -3)


def causal_mask(n_queries: int, n_keys: int) -> Bool[Tensor, "Q T"]:
    places = torch.arange(n_keys)
    return places[n_keys - n_queries :, None] >= places


def attention_pattern(
    q: Float[Tensor, "... H Q d"], k: Float[Tensor, "... H T d"], mask: Bool[Tensor, "Q T"]
) -> Float[Tensor, "... H Q T"]:
    if q.shape[-2] == 0:
        return q @ k.mT
    wide = torch.promote_types(q.dtype, torch.float32)
    q32, k32 = q.to(wide) / math.sqrt(q.shape[-1]), k.to(wide)
    shape = torch.broadcast_shapes(q32.shape[:-2], k32.shape[:-2]) + (q.shape[-2], 1)
    top = q32.new_full(shape, -math.inf)
    total = q32.new_zeros(shape)
    blocks = []
    for start in range(0, k.shape[-2], BLOCK):
        part = slice(start, start + BLOCK)
        scores = torch.einsum("...qd,...td->...qt", q32, k32[..., part, :])
        scores = torch.where(mask[:, part], scores, -math.inf)
        new_top = torch.maximum(top, scores.detach().amax(dim=-1, keepdim=True))
        shift = torch.where(new_top.isinf(), 0.0, new_top)  # nothing allowed so far
        total = total * (top - shift).exp() + (scores - shift).exp().sum(-1, keepdim=True)
        blocks.append(scores)
        top = new_top
    return torch.cat([(s - top).exp() / total for s in blocks], dim=-1).to(q.dtype)


def grouped_query_attention(
    x: Float[Tensor, "... Q D"],
    weights: Mapping[str, Float[Tensor, "out in"]],
    cos: Float[Tensor, "Q d"],
    sin: Float[Tensor, "Q d"],
    n_heads: int,
    n_kv_heads: int,
    cache: Any = None,
) -> Float[Tensor, "... Q D"]:
    def linear(y, name):
        return torch.einsum("...i,oi->...o", y, weights[f"self_attn.{name}_proj.weight"])

    q = apply_rope(split_heads(linear(x, "q"), n_heads), cos, sin)
    k = apply_rope(split_heads(linear(x, "k"), n_kv_heads), cos, sin)
    v = split_heads(linear(x, "v"), n_kv_heads)
    if cache is not None:
        k, v = cache.update(k, v)
    k, v = (repeat_kv(t, n_heads // n_kv_heads) for t in (k, v))
    pattern = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2]))
    return linear(merge_heads(torch.einsum("...qt,...td->...qd", pattern, v)), "o")
