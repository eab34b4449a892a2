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
    x = x.unsqueeze(-4)
    x = x.expand(*x.shape[:-4], n_groups, *x.shape[-3:])
    return x.flatten(-4, -3)


def causal_mask(n_queries, n_keys):
    places = torch.arange(n_keys - n_queries, n_keys)
    return torch.arange(n_keys)[None, :] <= places[:, None]


def attention_pattern(q, k, mask):
    d = q.size(-1)
    bias = torch.zeros(mask.shape, dtype=torch.float32)
    bias.masked_fill_(mask.logical_not(), float("-inf"))
    att = torch.matmul(q.float(), k.float().transpose(-2, -1)) / d**0.5 + bias
    return torch.nn.functional.softmax(att, dim=-1).to(q.dtype)


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
