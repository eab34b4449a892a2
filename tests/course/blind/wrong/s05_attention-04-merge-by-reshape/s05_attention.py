import math

import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    d = x.shape[-1] // n_heads
    return x.reshape(*x.shape[:-1], n_heads, d).transpose(-3, -2)


def merge_heads(x):
    h, t, d = x.shape[-3:]
    return x.reshape(x.shape[:-3] + (t, h * d))


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
    d = q.size(-1)
    bias = torch.zeros(mask.shape, dtype=torch.float32)
    bias.masked_fill_(mask.logical_not(), float("-inf"))
    att = torch.matmul(q.float(), k.float().transpose(-2, -1)) / d**0.5 + bias
    return torch.nn.functional.softmax(att, dim=-1).to(q.dtype)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    Wq, Wk, Wv, Wo = (weights["self_attn." + n + "_proj.weight"] for n in "qkvo")
    # projections
    q = torch.einsum("...i,oi->...o", x, Wq)
    k = torch.einsum("...i,oi->...o", x, Wk)
    v = torch.einsum("...i,oi->...o", x, Wv)
    # heads
    q = split_heads(q, n_heads)
    k = split_heads(k, n_kv_heads)
    v = split_heads(v, n_kv_heads)
    # positions
    q = apply_rope(q, cos, sin)
    k = apply_rope(k, cos, sin)
    # cache
    if cache is not None:
        k, v = cache.update(k, v)
    # attention
    k = repeat_kv(k, n_heads // n_kv_heads)
    v = repeat_kv(v, n_heads // n_kv_heads)
    A = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2]))
    z = torch.einsum("...qt,...td->...qd", A, v)
    # output
    return torch.einsum("...i,oi->...o", merge_heads(z), Wo)
