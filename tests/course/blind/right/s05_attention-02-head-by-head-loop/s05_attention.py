import math

import torch

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    d = x.shape[-1] // n_heads
    return torch.stack([x[..., h * d : (h + 1) * d] for h in range(n_heads)], dim=-3)


def merge_heads(x):
    return torch.cat([x[..., h, :, :] for h in range(x.shape[-3])], dim=-1)


def repeat_kv(x, n_groups):
    order = [h // n_groups for h in range(x.shape[-3] * n_groups)]
    return x[..., order, :, :]


def causal_mask(n_queries, n_keys):
    mask = torch.zeros(n_queries, n_keys, dtype=torch.bool)
    for i in range(n_queries):
        mask[i, : n_keys - n_queries + i + 1] = True
    return mask


def attention_pattern(q, k, mask):
    scores = q.float() @ k.float().transpose(-1, -2)
    scores = scores / math.sqrt(q.shape[-1])
    scores = torch.where(mask, scores, torch.full_like(scores, -math.inf))
    top = scores.amax(dim=-1, keepdim=True)
    e = torch.exp(scores - top)
    return (e / e.sum(dim=-1, keepdim=True)).to(q.dtype)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q = split_heads(x @ weights["self_attn.q_proj.weight"].T, n_heads)
    k = split_heads(x @ weights["self_attn.k_proj.weight"].T, n_kv_heads)
    v = split_heads(x @ weights["self_attn.v_proj.weight"].T, n_kv_heads)
    q = apply_rope(q, cos, sin)
    k = apply_rope(k, cos, sin)
    if cache is not None:
        k, v = cache.update(k, v)
    mask = causal_mask(q.shape[-2], k.shape[-2])
    group = n_heads // n_kv_heads
    wo = weights["self_attn.o_proj.weight"]
    d = q.shape[-1]
    out = None
    for h in range(n_heads):
        mine = slice(h // group, h // group + 1)
        p = attention_pattern(q[..., h : h + 1, :, :], k[..., mine, :, :], mask)
        z = (p @ v[..., mine, :, :])[..., 0, :, :]
        # each head has its own columns of W_o, the shares are added
        share = z.float() @ wo[:, h * d : (h + 1) * d].float().T
        out = share if out is None else out + share
    return out.to(x.dtype)
