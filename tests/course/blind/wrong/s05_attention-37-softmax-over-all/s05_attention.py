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
    """Hand every key/value head to the query heads of its group."""
    return repeat(x, "... k t d -> ... (k g) t d", g=n_groups)


def causal_mask(n_queries, n_keys):
    """Which key each query may look at: its own token and those before it."""
    return torch.ones(n_queries, n_keys, dtype=torch.bool).tril(n_keys - n_queries)


def attention_pattern(q, k, mask):
    scores = q.float() @ k.float().mT / math.sqrt(q.shape[-1])
    scores = torch.where(mask, scores, float("-inf"))
    p = scores.flatten(-2).softmax(-1).view(scores.shape)
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
