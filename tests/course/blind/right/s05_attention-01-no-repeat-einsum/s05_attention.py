import math

import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    return x.unflatten(-1, (n_heads, -1)).movedim(-2, -3)


def merge_heads(x):
    return x.movedim(-3, -2).flatten(-2)


def repeat_kv(x, n_groups):
    return torch.stack([x] * n_groups, dim=-3).flatten(-4, -3)


def causal_mask(n_queries, n_keys):
    return torch.arange(n_keys).lt(torch.arange(n_keys - n_queries + 1, n_keys + 1).unsqueeze(-1))


def _softmax(scores, mask):
    return scores.masked_fill(mask.to(scores.device).logical_not(), -math.inf).softmax(-1)


def attention_pattern(q, k, mask):
    scores = torch.einsum("...qd,...td->...qt", q.float(), k.float()) / math.sqrt(q.shape[-1])
    return _softmax(scores, mask).to(q.dtype)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    wq, wk, wv, wo = (weights[f"self_attn.{n}_proj.weight"] for n in ("q", "k", "v", "o"))
    q = apply_rope(split_heads(torch.einsum("...i,oi->...o", x, wq), n_heads), cos, sin)
    k = apply_rope(split_heads(torch.einsum("...i,oi->...o", x, wk), n_kv_heads), cos, sin)
    v = split_heads(torch.einsum("...i,oi->...o", x, wv), n_kv_heads)
    if cache is not None:
        k, v = cache.update(k, v)
    q = q.unflatten(-3, (n_kv_heads, n_heads // n_kv_heads))
    scores = torch.einsum("...kgqd,...ktd->...kgqt", q.float(), k.float()) / math.sqrt(q.shape[-1])
    pattern = _softmax(scores, causal_mask(q.shape[-2], k.shape[-2])).to(x.dtype)
    z = torch.einsum("...kgqt,...ktd->...kgqd", pattern, v).flatten(-4, -3)
    return torch.einsum("...i,oi->...o", merge_heads(z), wo)
