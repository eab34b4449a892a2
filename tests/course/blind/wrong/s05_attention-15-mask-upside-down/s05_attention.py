from jaxtyping import Bool, Float
from torch import Tensor
import math

import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    d = x.shape[-1] // n_heads
    return x.reshape(*x.shape[:-1], n_heads, d).transpose(-3, -2)


def merge_heads(x):
    return torch.cat(x.unbind(-3), dim=-1)


def repeat_kv(x, n_groups):
    return x.repeat_interleave(n_groups, dim=-3)


def causal_mask(n_queries, n_keys):
    return torch.triu(torch.ones(n_queries, n_keys, dtype=torch.bool), diagonal=n_keys - n_queries)


def attention_pattern(
    q: Float[Tensor, "... H Q d"], k: Float[Tensor, "... H T d"], mask: Bool[Tensor, "Q T"]
) -> Float[Tensor, "... H Q T"]:
    """How much each query looks at each key."""
    scores = q.float() @ k.float().mT / math.sqrt(q.shape[-1])
    scores = scores.masked_fill(~mask.to(q.device), -math.inf)
    return scores.softmax(dim=-1).to(q.dtype)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    def proj(name, inp):
        return torch.nn.functional.linear(inp, weights[f"self_attn.{name}_proj.weight"])

    q = apply_rope(split_heads(proj("q", x), n_heads), cos, sin)
    k = apply_rope(split_heads(proj("k", x), n_kv_heads), cos, sin)
    v = split_heads(proj("v", x), n_kv_heads)
    if cache is not None:
        k, v = cache.update(k, v)
    groups = n_heads // n_kv_heads
    k = repeat_kv(k, groups)
    v = repeat_kv(v, groups)
    mask = causal_mask(q.size(-2), k.size(-2))
    att = attention_pattern(q, k, mask)
    return proj("o", merge_heads(torch.matmul(att, v)))
