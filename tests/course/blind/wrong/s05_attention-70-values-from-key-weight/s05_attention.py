import math

import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    return torch.stack(x.chunk(n_heads, dim=-1), dim=-3)


def merge_heads(x):
    """Undo `split_heads`: lay each token's heads side by side again."""
    return rearrange(x, "... h t d -> ... t (h d)")


def repeat_kv(x, n_groups):
    """Hand every key/value head to the query heads of its group."""
    return repeat(x, "... k t d -> ... (k g) t d", g=n_groups)


def causal_mask(n_queries, n_keys):
    """Which key each query may look at: its own token and those before it."""
    return torch.ones(n_queries, n_keys, dtype=torch.bool).tril(n_keys - n_queries)


def attention_pattern(q, k, mask):
    d = q.size(-1)
    bias = torch.zeros(mask.shape, dtype=torch.float32)
    bias.masked_fill_(mask.logical_not(), float("-inf"))
    att = torch.matmul(q.float(), k.float().transpose(-2, -1)) / d**0.5 + bias
    return torch.nn.functional.softmax(att, dim=-1).to(q.dtype)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q = split_heads(x @ weights["self_attn.q_proj.weight"].T, n_heads)
    k = split_heads(x @ weights["self_attn.k_proj.weight"].T, n_kv_heads)
    v = split_heads(x @ weights["self_attn.k_proj.weight"].T, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    if cache is not None:
        k, v = cache.update(k, v)
    k, v = repeat_kv(k, n_heads // n_kv_heads), repeat_kv(v, n_heads // n_kv_heads)
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].T
