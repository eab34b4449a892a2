import math

import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    """Cut each token's vector into heads and put the heads first."""
    return rearrange(x, "... t (h d) -> ... h t d", h=n_heads)


def merge_heads(x):
    x = x.transpose(-3, -2)
    return x.reshape(*x.shape[:-2], x.shape[-2] * x.shape[-1])


def repeat_kv(x, n_groups):
    """Hand every key/value head to the query heads of its group."""
    return repeat(x, "... k t d -> ... (k g) t d", g=n_groups)


def causal_mask(n_queries, n_keys):
    full = torch.tril(torch.ones(n_keys, n_keys)).bool()
    return full[n_keys - n_queries :]


def attention_pattern(q, k, mask):
    """How much each query looks at each key."""
    scores = q.float() @ k.float().mT / math.sqrt(q.shape[-1])
    scores = scores.masked_fill(~mask.to(q.device), -math.inf)
    return scores.softmax(dim=-1).to(q.dtype)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q = split_heads(x @ weights["self_attn.q_proj.weight"].T, n_heads)
    k = split_heads(x @ weights["self_attn.k_proj.weight"].T, n_kv_heads)
    v = split_heads(x @ weights["self_attn.v_proj.weight"].T, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    keys = cache.update(k, v)[0] if cache is not None else k
    values = cache.update(k, v)[1] if cache is not None else v
    if keys.shape != values.shape:
        values = values[..., -keys.shape[-2] :, :]
    g = n_heads // n_kv_heads
    mask = causal_mask(q.shape[-2], keys.shape[-2])
    z = attention_pattern(q, repeat_kv(keys, g), mask) @ repeat_kv(values, g)
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].T
