import math
from collections.abc import Mapping
from typing import Any

import torch
from einops import rearrange, repeat
from jaxtyping import Bool, Float
from torch import Tensor

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    d = x.shape[-1] // n_heads
    return x.reshape(*x.shape[:-1], n_heads, d).transpose(-3, -2)


def merge_heads(x: Float[Tensor, "... H T d"]) -> Float[Tensor, "... T H*d"]:
    y = x.transpose(-3, -2)
    return y.view(*y.shape[:-2], -1)


def repeat_kv(x: Float[Tensor, "... K T d"], n_groups: int) -> Float[Tensor, "... H T d"]:
    """Hand every key/value head to the query heads of its group."""
    return repeat(x, "... k t d -> ... (k g) t d", g=n_groups)


def causal_mask(n_queries: int, n_keys: int) -> Bool[Tensor, "Q T"]:
    """Which key each query may look at: its own token and those before it."""
    return torch.ones(n_queries, n_keys, dtype=torch.bool).tril(n_keys - n_queries)


def attention_pattern(
    q: Float[Tensor, "... H Q d"], k: Float[Tensor, "... H T d"], mask: Bool[Tensor, "Q T"]
) -> Float[Tensor, "... H Q T"]:
    """How much each query looks at each key."""
    scores = q.float() @ k.float().mT / math.sqrt(q.shape[-1])
    scores = scores.masked_fill(~mask.to(q.device), -math.inf)
    return scores.softmax(dim=-1).to(q.dtype)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    W = {n: weights[f"self_attn.{n}_proj.weight"] for n in "qkvo"}
    q, k, v = (
        split_heads(x @ W[n].T, heads)
        for n, heads in (("q", n_heads), ("k", n_kv_heads), ("v", n_kv_heads))
    )
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    if cache is not None:
        k, v = cache.update(k, v)
    k, v = repeat_kv(k, n_heads // n_kv_heads), repeat_kv(v, n_heads // n_kv_heads)
    pattern = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2]))
    z = (pattern @ v).transpose(-3, -2).contiguous()  # otherwise view complains
    return merge_heads(z.transpose(-3, -2)) @ W["o"].T
