from jaxtyping import Bool, Float
from torch import Tensor
import math

import torch
from einops import rearrange, repeat

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
    """How much each query looks at each key."""
    scores = q.float() @ k.float().mT / math.sqrt(q.shape[-1])
    scores = scores.masked_fill(~mask.to(q.device), -math.inf)
    return scores.softmax(dim=-1).to(q.dtype)


def _turn(y, cos, sin, n):
    # the tables are for one head: make them as wide as all heads
    return apply_rope(y.unsqueeze(-3), cos.repeat(1, n), sin.repeat(1, n)).squeeze(-3)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q = _turn(x @ weights["self_attn.q_proj.weight"].T, cos, sin, n_heads)
    k = _turn(x @ weights["self_attn.k_proj.weight"].T, cos, sin, n_kv_heads)
    v = x @ weights["self_attn.v_proj.weight"].T
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    if cache is not None:
        k, v = cache.update(k, v)
    k, v = repeat_kv(k, n_heads // n_kv_heads), repeat_kv(v, n_heads // n_kv_heads)
    p = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2]))
    return merge_heads(p @ v) @ weights["self_attn.o_proj.weight"].T
