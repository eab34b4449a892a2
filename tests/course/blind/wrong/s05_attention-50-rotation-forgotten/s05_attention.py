import math

import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    return torch.stack(x.chunk(n_heads, dim=-1), dim=-3)


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
    full = torch.tril(torch.ones(n_keys, n_keys)).bool()
    return full[n_keys - n_queries :]


def attention_pattern(q, k, mask):
    d = q.size(-1)
    bias = torch.zeros(mask.shape, dtype=torch.float32)
    bias.masked_fill_(mask.logical_not(), float("-inf"))
    att = torch.matmul(q.float(), k.float().transpose(-2, -1)) / d**0.5 + bias
    return torch.nn.functional.softmax(att, dim=-1).to(q.dtype)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    linear = torch.nn.functional.linear
    q = split_heads(linear(x, weights["self_attn.q_proj.weight"]), n_heads)
    k = split_heads(linear(x, weights["self_attn.k_proj.weight"]), n_kv_heads)
    v = split_heads(linear(x, weights["self_attn.v_proj.weight"]), n_kv_heads)
    if cache is not None:
        k, v = cache.update(k, v)
    groups = n_heads // n_kv_heads
    mask = causal_mask(q.shape[-2], k.shape[-2])
    z = attention_pattern(q, repeat_kv(k, groups), mask) @ repeat_kv(v, groups)
    return linear(merge_heads(z), weights["self_attn.o_proj.weight"])
