"""Stage 5: attention."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from einops import rearrange, repeat
from jaxtyping import Bool, Float
from torch import Tensor

from .s04_rope import apply_rope


def split_heads(x: Float[Tensor, "... T H*d"], n_heads: int) -> Float[Tensor, "... H T d"]:
    return rearrange(x, "... T (H d) -> ... H T d", H=n_heads)


def merge_heads(x: Float[Tensor, "... H T d"]) -> Float[Tensor, "... T H*d"]:
    return rearrange(x, "... H T d -> ... T (H d)")


def repeat_kv(x: Float[Tensor, "... K T d"], n_groups: int) -> Float[Tensor, "... H T d"]:
    return repeat(x, "... K T d -> ... (K G) T d", G=n_groups)


def causal_mask(n_queries: int, n_keys: int) -> Bool[Tensor, "Q T"]:
    rows = torch.arange(n_queries)[:, None] + (n_keys - n_queries)
    cols = torch.arange(n_keys)[None, :]
    return cols <= rows


def attention_pattern(
    q: Float[Tensor, "... H Q d"], k: Float[Tensor, "... H T d"], mask: Bool[Tensor, "Q T"]
) -> Float[Tensor, "... H Q T"]:
    k = k.transpose(-2, -1)
    scores = torch.matmul(q, k)
    scores = scores / math.sqrt(k.size(-1))
    scores = scores.masked_fill(mask == 0, float("-inf"))
    return torch.softmax(scores, dim=-1)


def grouped_query_attention(
    x: Float[Tensor, "... Q D"],
    weights: Mapping[str, Float[Tensor, "out in"]],
    cos: Float[Tensor, "Q d"],
    sin: Float[Tensor, "Q d"],
    n_heads: int,
    n_kv_heads: int,
    cache: Any = None,
) -> Float[Tensor, "... Q D"]:
    def project(which, heads):
        return split_heads(x @ weights[f"self_attn.{which}_proj.weight"].t(), heads)

    q = apply_rope(project("q", n_heads), cos, sin)
    k = apply_rope(project("k", n_kv_heads), cos, sin)
    v = project("v", n_kv_heads)
    if cache is not None:
        k, v = cache.update(k, v)
    k = repeat_kv(k, n_heads // n_kv_heads)
    v = repeat_kv(v, n_heads // n_kv_heads)
    pattern = attention_pattern(q, k, causal_mask(q.size(-2), k.size(-2)))
    out = merge_heads(torch.matmul(pattern, v))
    return out @ weights["self_attn.o_proj.weight"].t()
