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
    places = torch.arange(n_keys - n_queries, n_keys)
    return torch.arange(n_keys)[None, :] <= places[:, None]


def attention_pattern(q, k, mask):
    s = torch.einsum("...qd,...kd->...qk", q.float(), k.float()) * q.shape[-1] ** -0.5
    s = torch.where(mask, s, float("-inf"))
    return torch.softmax(s, dim=-1).type_as(q)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    Wq, Wk, Wv, Wo = [weights[f"self_attn.{n}_proj.weight"].T for n in ["q", "k", "v", "o"]]
    q = apply_rope(split_heads(x @ Wq, n_heads), cos, sin)
    k = apply_rope(split_heads(x @ Wk, n_kv_heads), cos, sin)
    v = split_heads(x @ Wv, n_kv_heads)
    if cache is None:
        mask = causal_mask(q.shape[-2], k.shape[-2])
    else:
        k, v = cache.update(k, v)
        mask = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool)
    k = repeat_kv(k, n_heads // n_kv_heads)
    v = repeat_kv(v, n_heads // n_kv_heads)
    return merge_heads(attention_pattern(q, k, mask) @ v) @ Wo
