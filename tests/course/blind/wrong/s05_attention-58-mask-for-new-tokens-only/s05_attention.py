import math

import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    """Cut each token's vector into heads and put the heads first."""
    return rearrange(x, "... t (h d) -> ... h t d", h=n_heads)


def merge_heads(x):
    """Undo `split_heads`: lay each token's heads side by side again."""
    return rearrange(x, "... h t d -> ... t (h d)")


def repeat_kv(x, n_groups):
    return x.repeat_interleave(n_groups, dim=-3)


def causal_mask(n_queries, n_keys):
    """Which key each query may look at: its own token and those before it."""
    return torch.ones(n_queries, n_keys, dtype=torch.bool).tril(n_keys - n_queries)


def attention_pattern(q, k, mask):
    """How much each query looks at each key."""
    scores = q.float() @ k.float().mT / math.sqrt(q.shape[-1])
    scores = scores.masked_fill(~mask.to(q.device), -math.inf)
    return scores.softmax(dim=-1).to(q.dtype)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    T = x.shape[-2]
    q = split_heads(x @ weights["self_attn.q_proj.weight"].T, n_heads)
    k = split_heads(x @ weights["self_attn.k_proj.weight"].T, n_kv_heads)
    v = split_heads(x @ weights["self_attn.v_proj.weight"].T, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    if cache is not None:
        k, v = cache.update(k, v)
    k = repeat_kv(k, n_heads // n_kv_heads)
    v = repeat_kv(v, n_heads // n_kv_heads)
    pattern = attention_pattern(q, k, causal_mask(T, T))
    return merge_heads(pattern @ v) @ weights["self_attn.o_proj.weight"].T
