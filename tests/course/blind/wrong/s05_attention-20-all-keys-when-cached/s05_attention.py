import math

import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    return torch.stack(x.chunk(n_heads, dim=-1), dim=-3)


def merge_heads(x):
    return torch.cat(x.unbind(-3), dim=-1)


def repeat_kv(x, n_groups):
    """Hand every key/value head to the query heads of its group."""
    return repeat(x, "... k t d -> ... (k g) t d", g=n_groups)


def causal_mask(n_queries, n_keys):
    if n_queries < n_keys:
        # decoding: the new token sees the whole past
        return torch.ones(n_queries, n_keys, dtype=torch.bool)
    return torch.ones(n_queries, n_queries, dtype=torch.bool).tril()


def attention_pattern(q, k, mask):
    d = q.size(-1)
    bias = torch.zeros(mask.shape, dtype=torch.float32)
    bias.masked_fill_(mask.logical_not(), float("-inf"))
    att = torch.matmul(q.float(), k.float().transpose(-2, -1)) / d**0.5 + bias
    return torch.nn.functional.softmax(att, dim=-1).to(q.dtype)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    Wq, Wk, Wv, Wo = (weights["self_attn." + n + "_proj.weight"] for n in "qkvo")
    # projections
    q = torch.einsum("...i,oi->...o", x, Wq)
    k = torch.einsum("...i,oi->...o", x, Wk)
    v = torch.einsum("...i,oi->...o", x, Wv)
    # heads
    q = split_heads(q, n_heads)
    k = split_heads(k, n_kv_heads)
    v = split_heads(v, n_kv_heads)
    # positions
    q = apply_rope(q, cos, sin)
    k = apply_rope(k, cos, sin)
    # cache
    if cache is not None:
        k, v = cache.update(k, v)
    # attention
    k = repeat_kv(k, n_heads // n_kv_heads)
    v = repeat_kv(v, n_heads // n_kv_heads)
    A = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2]))
    z = torch.einsum("...qt,...td->...qd", A, v)
    # output
    return torch.einsum("...i,oi->...o", merge_heads(z), Wo)
