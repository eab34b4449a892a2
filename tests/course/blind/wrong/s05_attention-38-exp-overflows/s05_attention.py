import math
from collections.abc import Mapping
from typing import Any

import torch
from einops import rearrange, repeat
from jaxtyping import Bool, Float
from torch import Tensor

from .s04_rope import apply_rope


def split_heads(x: Float[Tensor, "... T H*d"], n_heads: int) -> Float[Tensor, "... H T d"]:
    """Cut each token's vector into heads and put the heads first."""
    return rearrange(x, "... t (h d) -> ... h t d", h=n_heads)


def merge_heads(x: Float[Tensor, "... H T d"]) -> Float[Tensor, "... T H*d"]:
    """Undo `split_heads`: lay each token's heads side by side again."""
    return rearrange(x, "... h t d -> ... t (h d)")


def repeat_kv(x: Float[Tensor, "... K T d"], n_groups: int) -> Float[Tensor, "... H T d"]:
    """Hand every key/value head to the query heads of its group."""
    return repeat(x, "... k t d -> ... (k g) t d", g=n_groups)


def causal_mask(n_queries: int, n_keys: int) -> Bool[Tensor, "Q T"]:
    """Which key each query may look at: its own token and those before it."""
    return torch.ones(n_queries, n_keys, dtype=torch.bool).tril(n_keys - n_queries)


def attention_pattern(
    q: Float[Tensor, "... H Q d"], k: Float[Tensor, "... H T d"], mask: Bool[Tensor, "Q T"]
) -> Float[Tensor, "... H Q T"]:
    scores = q.float() @ k.float().mT / math.sqrt(q.shape[-1])
    e = torch.exp(scores).masked_fill(~mask, 0.0)
    return (e / e.sum(-1, keepdim=True)).to(q.dtype)


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
