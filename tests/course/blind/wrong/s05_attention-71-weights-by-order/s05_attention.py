import math

import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    """Cut each token's vector into heads and put the heads first."""
    return rearrange(x, "... t (h d) -> ... h t d", h=n_heads)


def merge_heads(x):
    """Undo `split_heads`: lay each token's heads side by side again."""
    return rearrange(x, "... h t d -> ... t (h d)")


def repeat_kv(x, n_groups):
    return x.repeat_interleave(n_groups, dim=-3)


def causal_mask(n_queries, n_keys):
    """Which key each query may look at: its own token and those before it."""
    return torch.ones(n_queries, n_keys, dtype=torch.bool).tril(n_keys - n_queries)


def attention_pattern(q, k, mask):
    s = torch.einsum("...qd,...kd->...qk", q.float(), k.float()) * q.shape[-1] ** -0.5
    s = torch.where(mask, s, float("-inf"))
    return torch.softmax(s, dim=-1).type_as(q)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    W_q, W_k, W_v, W_o, *_ = weights.values()
    q = apply_rope(split_heads(x @ W_q.T, n_heads), cos, sin)
    k = apply_rope(split_heads(x @ W_k.T, n_kv_heads), cos, sin)
    v = split_heads(x @ W_v.T, n_kv_heads)
    if cache is not None:
        k, v = cache.update(k, v)
    k, v = (repeat_kv(a, n_heads // n_kv_heads) for a in (k, v))
    mask = causal_mask(q.shape[-2], k.shape[-2])
    return merge_heads(attention_pattern(q, k, mask) @ v) @ W_o.T
