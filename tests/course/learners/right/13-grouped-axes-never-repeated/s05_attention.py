"""Stage 5: query heads as (K, G), so keys and values are broadcast and not repeated."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from einops import rearrange, repeat
from jaxtyping import Bool, Float
from torch import Tensor

from .s04_rope import apply_rope


def split_heads(x: Float[Tensor, "... T H*d"], n_heads: int) -> Float[Tensor, "... H T d"]:
    return rearrange(x, "... t (h d) -> ... h t d", h=n_heads)


def merge_heads(x: Float[Tensor, "... H T d"]) -> Float[Tensor, "... T H*d"]:
    return rearrange(x, "... h t d -> ... t (h d)")


def repeat_kv(x: Float[Tensor, "... K T d"], n_groups: int) -> Float[Tensor, "... H T d"]:
    heads = [head for head in x.unbind(-3) for _ in range(n_groups)]
    return torch.stack(heads, dim=-3)


def causal_mask(n_queries: int, n_keys: int) -> Bool[Tensor, "Q T"]:
    first = n_keys - n_queries
    rows = [[key <= first + query for key in range(n_keys)] for query in range(n_queries)]
    return torch.tensor(rows, dtype=torch.bool).reshape(n_queries, n_keys)


def attention_pattern(
    q: Float[Tensor, "... H Q d"], k: Float[Tensor, "... H T d"], mask: Bool[Tensor, "Q T"]
) -> Float[Tensor, "... H Q T"]:
    return _pattern(q, k, mask)


def _pattern(q, k, mask):
    if q.shape[-2] == 0:
        return q @ k.transpose(-1, -2)
    wide = torch.promote_types(q.dtype, torch.float32)
    scores = torch.einsum("...qd,...td->...qt", q.to(wide), k.to(wide)) / math.sqrt(q.shape[-1])
    bias = torch.zeros(mask.shape, dtype=wide, device=q.device).masked_fill(~mask, -math.inf)
    scores = scores + bias
    scores = scores - scores.detach().amax(dim=-1, keepdim=True)
    return (scores - scores.logsumexp(dim=-1, keepdim=True)).exp().to(q.dtype)


def grouped_query_attention(
    x: Float[Tensor, "... Q D"],
    weights: Mapping[str, Float[Tensor, "out in"]],
    cos: Float[Tensor, "Q d"],
    sin: Float[Tensor, "Q d"],
    n_heads: int,
    n_kv_heads: int,
    cache: Any = None,
) -> Float[Tensor, "... Q D"]:
    def heads(name, n):
        w = weights[f"self_attn.{name}_proj.weight"]  # (n·d, D) -> (n, d, D)
        return torch.einsum("...qi,hdi->...hqd", x, w.reshape(n, -1, w.shape[1]))

    q, k = (apply_rope(heads(a, n), cos, sin) for a, n in (("q", n_heads), ("k", n_kv_heads)))
    v = heads("v", n_kv_heads)
    if cache is not None:
        k, v = cache.update(k, v)
    q = q.unflatten(-3, (n_kv_heads, n_heads // n_kv_heads))
    pattern = _pattern(q, k.unsqueeze(-3), causal_mask(q.shape[-2], k.shape[-2]))
    z = torch.einsum("...kgqt,...ktd->...kgqd", pattern, v).flatten(-4, -3)
    w_o = weights["self_attn.o_proj.weight"]
    return torch.einsum("...hqd,ohd->...qo", z, w_o.reshape(w_o.shape[0], n_heads, -1))
