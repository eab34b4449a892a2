import math

import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    return rearrange(x, "... t (d h) -> ... h t d", h=n_heads)


def merge_heads(x):
    return rearrange(x, "... h t d -> ... t (d h)")


def repeat_kv(x, n_groups):
    return x.repeat_interleave(n_groups, dim=-3)


def causal_mask(n_queries, n_keys):
    places = torch.arange(n_keys - n_queries, n_keys)
    return torch.arange(n_keys)[None, :] <= places[:, None]


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
