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
    """Hand every key/value head to the query heads of its group."""
    return repeat(x, "... k t d -> ... (k g) t d", g=n_groups)


def causal_mask(n_queries, n_keys):
    full = torch.tril(torch.ones(n_keys, n_keys)).bool()
    return full[n_keys - n_queries :]


def attention_pattern(q, k, mask):
    s = q.float() @ k.float().mT / math.sqrt(q.shape[-1])
    return s.masked_fill(~mask, -1e4).softmax(-1).to(q.dtype)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    def heads(name, n):
        return split_heads(x @ weights[f"self_attn.{name}_proj.weight"].T, n)

    q, k, v = heads("q", n_heads), heads("k", n_kv_heads), heads("v", n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    k, v = cache.update(k, v) if cache else (k, v)
    k, v = repeat_kv(k, n_heads // n_kv_heads), repeat_kv(v, n_heads // n_kv_heads)
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].T
