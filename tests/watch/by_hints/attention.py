import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    return rearrange(x, "... t (h d) -> ... h t d", h=n_heads)


def merge_heads(x):
    return rearrange(x, "... h t d -> ... t (h d)")


def repeat_kv(x, n_groups):
    return repeat(x, "... k t d -> ... (k g) t d", g=n_groups)


def causal_mask(n_queries, n_keys):
    everything = torch.ones(n_queries, n_keys, dtype=torch.bool)
    return torch.tril(everything, diagonal=n_keys - n_queries)


def attention_pattern(q, k, mask):
    scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    scores = scores.masked_fill(~mask, float("-inf"))
    return torch.softmax(scores, dim=-1)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    q = x @ weights["self_attn.q_proj.weight"].mT
    k = x @ weights["self_attn.k_proj.weight"].mT
    v = x @ weights["self_attn.v_proj.weight"].mT
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    if cache is not None:
        k, v = cache.update(k, v)
    groups = n_heads // n_kv_heads
    k, v = repeat_kv(k, groups), repeat_kv(v, groups)
    mask = causal_mask(q.shape[-2], k.shape[-2])
    z = attention_pattern(q, k, mask) @ v
    return merge_heads(z) @ weights["self_attn.o_proj.weight"].mT
