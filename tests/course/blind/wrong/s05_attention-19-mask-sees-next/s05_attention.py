import math

import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    d = x.shape[-1] // n_heads
    return x.reshape(*x.shape[:-1], n_heads, d).transpose(-3, -2)


def merge_heads(x):
    x = x.transpose(-3, -2)
    return x.reshape(*x.shape[:-2], x.shape[-2] * x.shape[-1])


def repeat_kv(x, n_groups):
    return x.repeat_interleave(n_groups, dim=-3)


def causal_mask(n_queries, n_keys):
    offset = n_keys - n_queries + 1
    mask = [[j <= i + offset for j in range(n_keys)] for i in range(n_queries)]
    return torch.tensor(mask, dtype=torch.bool).reshape(n_queries, n_keys)


def attention_pattern(q, k, mask):
    s = torch.einsum("...qd,...kd->...qk", q.float(), k.float()) * q.shape[-1] ** -0.5
    s = torch.where(mask, s, float("-inf"))
    return torch.softmax(s, dim=-1).type_as(q)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    def proj(name, inp):
        return torch.nn.functional.linear(inp, weights[f"self_attn.{name}_proj.weight"])

    q = apply_rope(split_heads(proj("q", x), n_heads), cos, sin)
    k = apply_rope(split_heads(proj("k", x), n_kv_heads), cos, sin)
    v = split_heads(proj("v", x), n_kv_heads)
    if cache is not None:
        k, v = cache.update(k, v)
    groups = n_heads // n_kv_heads
    k = repeat_kv(k, groups)
    v = repeat_kv(v, groups)
    mask = causal_mask(q.size(-2), k.size(-2))
    att = attention_pattern(q, k, mask)
    return proj("o", merge_heads(torch.matmul(att, v)))
