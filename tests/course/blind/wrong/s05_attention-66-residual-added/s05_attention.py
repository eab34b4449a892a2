from jaxtyping import Float
from torch import Tensor
import math

import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x: Float[Tensor, "... T H*d"], n_heads: int) -> Float[Tensor, "... H T d"]:
    """Cut each token's vector into heads and put the heads first."""
    return rearrange(x, "... t (h d) -> ... h t d", h=n_heads)


def merge_heads(x):
    x = x.transpose(-3, -2)
    return x.reshape(*x.shape[:-2], x.shape[-2] * x.shape[-1])


def repeat_kv(x, n_groups):
    return x.repeat_interleave(n_groups, dim=-3)


def causal_mask(n_queries, n_keys):
    full = torch.tril(torch.ones(n_keys, n_keys)).bool()
    return full[n_keys - n_queries :]


def attention_pattern(q, k, mask):
    s = torch.einsum("...qd,...kd->...qk", q.float(), k.float()) * q.shape[-1] ** -0.5
    s = torch.where(mask, s, float("-inf"))
    return torch.softmax(s, dim=-1).type_as(q)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    proj = {n: weights["self_attn.%s_proj.weight" % n].T for n in "qkvo"}
    q = apply_rope(split_heads(x @ proj["q"], n_heads), cos, sin)
    k = apply_rope(split_heads(x @ proj["k"], n_kv_heads), cos, sin)
    v = split_heads(x @ proj["v"], n_kv_heads)
    if cache is not None:
        k, v = cache.update(k, v)
    rep = n_heads // n_kv_heads
    att = attention_pattern(q, repeat_kv(k, rep), causal_mask(q.shape[-2], k.shape[-2]))
    y = merge_heads(att @ repeat_kv(v, rep)) @ proj["o"]
    return x + y  # residual
