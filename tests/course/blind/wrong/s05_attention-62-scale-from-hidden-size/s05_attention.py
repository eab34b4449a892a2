import math

import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    d = x.shape[-1] // n_heads
    return x.reshape(*x.shape[:-1], n_heads, d).transpose(-3, -2)


def merge_heads(x):
    """Undo `split_heads`: lay each token's heads side by side again."""
    return rearrange(x, "... h t d -> ... t (h d)")


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
    w = [weights[f"self_attn.{n}_proj.weight"].T for n in "qkvo"]
    q = apply_rope(split_heads(x @ w[0], n_heads), cos, sin)
    k = apply_rope(split_heads(x @ w[1], n_kv_heads), cos, sin)
    v = split_heads(x @ w[2], n_kv_heads)
    if cache is not None:
        k, v = cache.update(k, v)
    k, v = repeat_kv(k, n_heads // n_kv_heads), repeat_kv(v, n_heads // n_kv_heads)
    mask = causal_mask(q.shape[-2], k.shape[-2])
    scale = (x.shape[-1] / n_heads) ** -0.5
    scores = (q.float() @ k.float().mT * scale).masked_fill(~mask, -math.inf)
    z = scores.softmax(-1).to(x.dtype) @ v
    return merge_heads(z) @ w[3]
