"""Stage 5. Who looks at whom."""

from collections.abc import Mapping
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor

from .s04_rope import apply_rope


def split_heads(x: Float[Tensor, "... T H*d"], n_heads: int) -> Float[Tensor, "... H T d"]:
    return torch.stack(x.chunk(n_heads, dim=-1), dim=-3)


def merge_heads(x: Float[Tensor, "... H T d"]) -> Float[Tensor, "... T H*d"]:
    return torch.cat(x.unbind(dim=-3), dim=-1)


def repeat_kv(x: Float[Tensor, "... K T d"], n_groups: int) -> Float[Tensor, "... H T d"]:
    grown = x.unsqueeze(-3).expand(*x.shape[:-2], n_groups, *x.shape[-2:])
    return grown.flatten(-4, -3)


def causal_mask(n_queries: int, n_keys: int) -> Bool[Tensor, "Q T"]:
    return torch.tril(torch.ones(n_keys, n_keys)).bool()[n_keys - n_queries :]


def attention_pattern(
    q: Float[Tensor, "... H Q d"], k: Float[Tensor, "... H T d"], mask: Bool[Tensor, "Q T"]
) -> Float[Tensor, "... H Q T"]:
    d_k = q.size(-1)
    scores = torch.einsum("...id,...jd->...ij", q, k) / d_k**0.5
    scores = scores.masked_fill(mask == 0, 1e-9)
    return scores.softmax(-1)


def grouped_query_attention(
    x: Float[Tensor, "... Q D"],
    weights: Mapping[str, Float[Tensor, "out in"]],
    cos: Float[Tensor, "Q d"],
    sin: Float[Tensor, "Q d"],
    n_heads: int,
    n_kv_heads: int,
    cache: Any = None,
) -> Float[Tensor, "... Q D"]:
    wq, wk, wv, wo = (weights[f"self_attn.{n}_proj.weight"] for n in "qkvo")
    q = split_heads(torch.einsum("...i,oi->...o", x, wq), n_heads)
    k = split_heads(torch.einsum("...i,oi->...o", x, wk), n_kv_heads)
    v = split_heads(torch.einsum("...i,oi->...o", x, wv), n_kv_heads)
    q = apply_rope(q, cos, sin)
    k = apply_rope(k, cos, sin)
    if cache is not None:
        k, v = cache.update(k, v)
    reps = n_heads // n_kv_heads
    k, v = repeat_kv(k, reps), repeat_kv(v, reps)
    att = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2]))
    y = rearrange(att @ v, "... h q d -> ... q (h d)")
    return torch.einsum("...i,oi->...o", y, wo)
