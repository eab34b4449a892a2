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
    x = x.transpose(-3, -2)
    return x.reshape(*x.shape[:-2], x.shape[-2] * x.shape[-1])


def repeat_kv(x: Float[Tensor, "... K T d"], n_groups: int) -> Float[Tensor, "... H T d"]:
    """Hand every key/value head to the query heads of its group."""
    return repeat(x, "... k t d -> ... (k g) t d", g=n_groups)


def causal_mask(n_queries: int, n_keys: int) -> Bool[Tensor, "Q T"]:
    """Which key each query may look at: its own token and those before it."""
    return torch.ones(n_queries, n_keys, dtype=torch.bool).tril(n_keys - n_queries)


def attention_pattern(q, k, mask):
    d = q.size(-1)
    bias = torch.zeros(mask.shape, dtype=torch.float32)
    bias.masked_fill_(mask.logical_not(), float("-inf"))
    att = torch.matmul(q.float(), k.float().transpose(-2, -1)) / d**0.5 + bias
    return torch.nn.functional.softmax(att, dim=-1).to(q.dtype)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q, k, v = (torch.nn.functional.linear(x, weights[f"self_attn.{n}_proj.weight"]) for n in "qkv")
    q = apply_rope(split_heads(q, n_heads), cos, sin)
    k = apply_rope(split_heads(k, n_kv_heads), cos, sin)
    v = split_heads(v, n_kv_heads)
    if cache is not None:
        v, k = cache.update(v, k)
    k = repeat_kv(k, n_heads // n_kv_heads)
    v = repeat_kv(v, n_heads // n_kv_heads)
    a = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2]))
    return torch.nn.functional.linear(merge_heads(a @ v), weights["self_attn.o_proj.weight"])
