import math

import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    """Cut each token's vector into heads and put the heads first."""
    return rearrange(x, "... t (h d) -> ... h t d", h=n_heads)


def merge_heads(x):
    return torch.cat(x.unbind(-3), dim=-1)


def repeat_kv(x, n_groups):
    """Hand every key/value head to the query heads of its group."""
    return repeat(x, "... k t d -> ... (k g) t d", g=n_groups)


def causal_mask(n_queries, n_keys):
    """Which key each query may look at: its own token and those before it."""
    return torch.ones(n_queries, n_keys, dtype=torch.bool).tril(n_keys - n_queries)


def attention_pattern(q, k, mask):
    s = torch.einsum("...qd,...kd->...qk", q.float(), k.float()) * q.shape[-1] ** -0.5
    s = torch.where(mask, s, float("-inf"))
    return torch.softmax(s, dim=-1).type_as(q)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    pre = "self_attn."
    q = split_heads(x @ weights[pre + "q_proj.weight"].T, n_heads)
    k = split_heads(x @ weights[pre + "k_proj.weight"].T, n_kv_heads)
    v = split_heads(x @ weights[pre + "v_proj.weight"].T, n_kv_heads)
    k = apply_rope(k, cos, sin)
    if cache is not None:
        k, v = cache.update(k, v)
    k = repeat_kv(k, n_heads // n_kv_heads)
    v = repeat_kv(v, n_heads // n_kv_heads)
    scores = attention_pattern(q, k, causal_mask(x.shape[-2], k.shape[-2]))
    return merge_heads(scores @ v) @ weights[pre + "o_proj.weight"].T
