"""Sesión 5: atención."""

import math

import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    d = x.shape[-1] // n_heads
    return torch.stack([x[..., i * d : (i + 1) * d] for i in range(n_heads)], dim=-3)


def merge_heads(x):
    return torch.cat([x[..., i, :, :] for i in range(x.shape[-3])], dim=-1)


def repeat_kv(x, n_groups):
    return torch.cat([x] * n_groups, dim=-3)


def causal_mask(n_queries, n_keys):
    return torch.tensor(
        [[columna <= fila for columna in range(n_keys)] for fila in range(n_queries)],
        dtype=torch.bool,
    ).reshape(n_queries, n_keys)


def attention_pattern(q, k, mask):
    s = torch.einsum("...qd,...kd->...qk", q.float(), k.float()) * q.shape[-1] ** -0.5
    s = torch.where(mask, s, float("-inf"))
    return torch.softmax(s, dim=-1).type_as(q)


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
