import math

import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    B, T, C = x.shape
    return x.view(B, T, n_heads, C // n_heads).transpose(1, 2)


def merge_heads(x):
    *rest, H, T, d = x.shape
    return x.transpose(-2, -3).contiguous().view(*rest, T, H * d)


def repeat_kv(x, n_groups):
    return x.repeat_interleave(n_groups, dim=-3)


def causal_mask(n_queries, n_keys):
    full = torch.tril(torch.ones(n_keys, n_keys)).bool()
    return full[n_keys - n_queries :]


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
