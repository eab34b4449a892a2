# ruff: noqa: F821
"""Right numbers for stage 5 that a library function gives."""

import torch
from torch.nn import functional as F

from token_journey.course.misconceptions import rewrite


@rewrite("attention_pattern", "by torch's attention with the identity for values")
def by_torchs_attention(q, k, mask):
    one_hot = torch.eye(k.shape[-2], dtype=k.dtype).expand(*k.shape[:-1], -1)
    return F.scaled_dot_product_attention(q, k, one_hot, attn_mask=mask)


@rewrite("grouped_query_attention", "by torch's own functions")
def by_torch(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q = F.linear(x, weights["self_attn.q_proj.weight"]).unflatten(-1, (n_heads, -1))
    k = F.linear(x, weights["self_attn.k_proj.weight"]).unflatten(-1, (n_kv_heads, -1))
    v = F.linear(x, weights["self_attn.v_proj.weight"]).unflatten(-1, (n_kv_heads, -1))
    q, k, v = (heads.transpose(-3, -2) for heads in (q, k, v))
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    if cache is not None:
        k, v = cache.update(k, v)
    mask = causal_mask(q.shape[-2], k.shape[-2])
    z = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=True)
    return F.linear(z.transpose(-3, -2).flatten(-2), weights["self_attn.o_proj.weight"])
