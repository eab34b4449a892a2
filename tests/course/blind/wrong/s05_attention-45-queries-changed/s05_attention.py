from collections.abc import Mapping
from typing import Any
from jaxtyping import Float
from torch import Tensor
import math

import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    d = x.shape[-1] // n_heads
    return x.reshape(*x.shape[:-1], n_heads, d).transpose(-3, -2)


def merge_heads(x):
    return torch.cat(x.unbind(-3), dim=-1)


def repeat_kv(x: Float[Tensor, "... K T d"], n_groups: int) -> Float[Tensor, "... H T d"]:
    """Hand every key/value head to the query heads of its group."""
    return repeat(x, "... k t d -> ... (k g) t d", g=n_groups)


def causal_mask(n_queries, n_keys):
    full = torch.tril(torch.ones(n_keys, n_keys)).bool()
    return full[n_keys - n_queries :]


def attention_pattern(q, k, mask):
    q /= math.sqrt(q.shape[-1])
    scores = q.float() @ k.float().mT
    scores = scores.masked_fill(~mask, -math.inf)
    return scores.softmax(dim=-1).to(q.dtype)


def grouped_query_attention(
    x: Float[Tensor, "... Q D"],
    weights: Mapping[str, Float[Tensor, "out in"]],
    cos: Float[Tensor, "Q d"],
    sin: Float[Tensor, "Q d"],
    n_heads: int,
    n_kv_heads: int,
    cache: Any = None,
) -> Float[Tensor, "... Q D"]:
    """Attention from the normalised input to its share of the residual stream."""
    q = split_heads(x @ weights["self_attn.q_proj.weight"].T, n_heads)
    k = split_heads(x @ weights["self_attn.k_proj.weight"].T, n_kv_heads)
    v = split_heads(x @ weights["self_attn.v_proj.weight"].T, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    if cache is not None:
        k, v = cache.update(k, v)
    k, v = (repeat_kv(t, n_heads // n_kv_heads) for t in (k, v))
    pattern = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2]))
    return merge_heads(pattern @ v) @ weights["self_attn.o_proj.weight"].T
