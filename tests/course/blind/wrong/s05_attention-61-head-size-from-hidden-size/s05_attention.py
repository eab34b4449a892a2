import math

import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    """Cut each token's vector into heads and put the heads first."""
    return rearrange(x, "... t (h d) -> ... h t d", h=n_heads)


def merge_heads(x):
    """Undo `split_heads`: lay each token's heads side by side again."""
    return rearrange(x, "... h t d -> ... t (h d)")


def repeat_kv(x, n_groups):
    if n_groups == 1:
        return x
    *front, k, t, d = x.shape
    x = x.unsqueeze(-3).expand(*front, k, n_groups, t, d)
    return x.reshape(*front, k * n_groups, t, d)


def causal_mask(n_queries, n_keys):
    """Which key each query may look at: its own token and those before it."""
    return torch.ones(n_queries, n_keys, dtype=torch.bool).tril(n_keys - n_queries)


def attention_pattern(q, k, mask):
    """How much each query looks at each key."""
    scores = q.float() @ k.float().mT / math.sqrt(q.shape[-1])
    scores = scores.masked_fill(~mask.to(q.device), -math.inf)
    return scores.softmax(dim=-1).to(q.dtype)


class Attention:
    def __init__(self, weights, hidden, n_heads, n_kv_heads):
        self.w = {n: weights[f"self_attn.{n}_proj.weight"] for n in "qkvo"}
        self.n_heads, self.n_kv_heads = n_heads, n_kv_heads
        self.head_dim = hidden // n_heads

    def heads(self, x, name, n):
        y = x @ self.w[name].T
        return y.reshape(*x.shape[:-1], n, self.head_dim).transpose(-3, -2)

    def __call__(self, x, cos, sin, cache):
        q = apply_rope(self.heads(x, "q", self.n_heads), cos, sin)
        k = apply_rope(self.heads(x, "k", self.n_kv_heads), cos, sin)
        v = self.heads(x, "v", self.n_kv_heads)
        if cache is not None:
            k, v = cache.update(k, v)
        g = self.n_heads // self.n_kv_heads
        k, v = repeat_kv(k, g), repeat_kv(v, g)
        pattern = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2]))
        return merge_heads(pattern @ v) @ self.w["o"].T


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    return Attention(weights, x.shape[-1], n_heads, n_kv_heads)(x, cos, sin, cache)
