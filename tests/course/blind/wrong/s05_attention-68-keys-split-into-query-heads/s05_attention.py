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
    """How much each query looks at each key."""
    scores = q.float() @ k.float().mT / math.sqrt(q.shape[-1])
    scores = scores.masked_fill(~mask.to(q.device), -math.inf)
    return scores.softmax(dim=-1).to(q.dtype)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, k, v = (split_heads(x @ weights[f"self_attn.{n}_proj.weight"].T, n_heads) for n in "qkv")
    q = apply_rope(q, cos, sin)
    k = apply_rope(k, cos, sin)
    if cache is not None:
        k, v = cache.update(k, v)
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].T
