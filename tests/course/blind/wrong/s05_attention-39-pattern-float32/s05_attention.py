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
    scores = q.float() @ k.float().mT / math.sqrt(q.shape[-1])
    return scores.masked_fill(~mask, float("-inf")).softmax(dim=-1)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    wq, wk, wv, wo = [weights[f"self_attn.{c}_proj.weight"].T for c in "qkvo"]
    q = apply_rope(split_heads(x @ wq, n_heads), cos, sin)
    k = apply_rope(split_heads(x @ wk, n_kv_heads), cos, sin)
    v = split_heads(x @ wv, n_kv_heads)
    if cache is not None:
        k, v = cache.update(k, v)
    g = n_heads // n_kv_heads
    p = attention_pattern(q, repeat_kv(k, g), causal_mask(q.shape[-2], k.shape[-2]))
    z = (p @ repeat_kv(v, g).float()).to(x.dtype)
    return merge_heads(z) @ wo
