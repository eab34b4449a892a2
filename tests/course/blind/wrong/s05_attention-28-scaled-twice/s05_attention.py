import math

import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    """Cut each token's vector into heads and put the heads first."""
    return rearrange(x, "... t (h d) -> ... h t d", h=n_heads)


def merge_heads(x):
    x = x.transpose(-3, -2)
    return x.reshape(*x.shape[:-2], x.shape[-2] * x.shape[-1])


def repeat_kv(x, n_groups):
    if n_groups == 1:
        return x
    *front, k, t, d = x.shape
    x = x.unsqueeze(-3).expand(*front, k, n_groups, t, d)
    return x.reshape(*front, k * n_groups, t, d)


def causal_mask(n_queries, n_keys):
    """Which key each query may look at: its own token and those before it."""
    return torch.ones(n_queries, n_keys, dtype=torch.bool).tril(n_keys - n_queries)


def attention_pattern(q, k, mask):
    s = torch.einsum("...qd,...kd->...qk", q.float(), k.float()) * q.shape[-1] ** -0.5
    s = torch.where(mask, s, float("-inf"))
    return torch.softmax(s, dim=-1).type_as(q)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    Wq, Wk, Wv, Wo = (weights[f"self_attn.{letter}_proj.weight"] for letter in "qkvo")
    q = split_heads(x @ Wq.T, n_heads)
    k = split_heads(x @ Wk.T, n_kv_heads)
    v = split_heads(x @ Wv.T, n_kv_heads)
    q = apply_rope(q, cos, sin) * q.shape[-1] ** -0.5  # scale the queries
    k = apply_rope(k, cos, sin)
    if cache is not None:
        k, v = cache.update(k, v)
    k = repeat_kv(k, n_heads // n_kv_heads)
    v = repeat_kv(v, n_heads // n_kv_heads)
    p = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2]))
    return merge_heads(p @ v) @ Wo.T
