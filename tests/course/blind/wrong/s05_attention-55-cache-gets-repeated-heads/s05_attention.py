import math

import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    return torch.stack(x.chunk(n_heads, dim=-1), dim=-3)


def merge_heads(x):
    return torch.cat(x.unbind(-3), dim=-1)


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
    q = split_heads(x @ weights["self_attn.q_proj.weight"].T, n_heads)
    k = split_heads(x @ weights["self_attn.k_proj.weight"].T, n_kv_heads)
    v = split_heads(x @ weights["self_attn.v_proj.weight"].T, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    n_groups = n_heads // n_kv_heads
    k, v = repeat_kv(k, n_groups), repeat_kv(v, n_groups)
    if cache is not None:
        k, v = cache.update(k, v)
    pattern = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2]))
    return merge_heads(pattern @ v) @ weights["self_attn.o_proj.weight"].T
