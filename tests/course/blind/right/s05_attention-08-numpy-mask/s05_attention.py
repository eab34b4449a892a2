import math

import numpy as np
import torch

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    *front, T, C = x.shape
    y = x.contiguous().view(-1, T, n_heads, C // n_heads) if x.numel() else x.reshape(math.prod(front), T, n_heads, C // n_heads)
    return y.permute(0, 2, 1, 3).reshape(*front, n_heads, T, C // n_heads)


def merge_heads(x):
    *front, H, T, d = x.shape
    return x.transpose(-3, -2).contiguous().view(*front, T, H * d)


def repeat_kv(x, n_groups):
    if n_groups == 1:
        return x
    return torch.cat([x[..., i : i + 1, :, :].repeat_interleave(n_groups, -3) for i in range(x.shape[-3])], dim=-3)


def causal_mask(n_queries, n_keys):
    return torch.from_numpy(np.tri(n_queries, n_keys, k=n_keys - n_queries, dtype=bool))


def attention_pattern(q, k, mask):
    att = (q.float() / math.sqrt(q.size(-1))) @ k.float().transpose(-2, -1)
    bias = torch.zeros(mask.shape, device=att.device).masked_fill_(~mask, float("-inf"))
    return torch.nn.functional.softmax(att + bias, dim=-1).type_as(q)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    # una sola multiplicación para q, k y v
    names = ["q", "k", "v"]
    stacked = torch.cat([weights[f"self_attn.{n}_proj.weight"] for n in names])
    sizes = [weights[f"self_attn.{n}_proj.weight"].shape[0] for n in names]
    q, k, v = (x @ stacked.T).split(sizes, dim=-1)
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    if cache is not None:
        k, v = cache.update(k, v)
    k, v = repeat_kv(k, n_heads // n_kv_heads), repeat_kv(v, n_heads // n_kv_heads)
    y = attention_pattern(q, k, causal_mask(q.size(-2), k.size(-2))) @ v
    return merge_heads(y) @ weights["self_attn.o_proj.weight"].T
