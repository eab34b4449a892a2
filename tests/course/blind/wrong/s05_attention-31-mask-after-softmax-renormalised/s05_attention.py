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
    return x.repeat_interleave(n_groups, dim=-3)


def causal_mask(n_queries, n_keys):
    full = torch.tril(torch.ones(n_keys, n_keys)).bool()
    return full[n_keys - n_queries :]


def attention_pattern(q, k, mask):
    scores = q.float() @ k.float().transpose(-1, -2) / q.shape[-1] ** 0.5
    p = scores.softmax(dim=-1) * mask
    p = p / p.sum(dim=-1, keepdim=True)
    return p.to(q.dtype)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    """Attention from the normalised input to its share of the residual stream."""
    q = split_heads(x @ weights["self_attn.q_proj.weight"].T, n_heads)
    k = split_heads(x @ weights["self_attn.k_proj.weight"].T, n_kv_heads)
    v = split_heads(x @ weights["self_attn.v_proj.weight"].T, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    if cache is not None:
        k, v = cache.update(k, v)
    k, v = (repeat_kv(t, n_heads // n_kv_heads) for t in (k, v))
    pattern = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2]))
    return merge_heads(pattern @ v) @ weights["self_attn.o_proj.weight"].T
