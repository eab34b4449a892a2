"""One key at a time, never the whole row of scores."""

import math

import torch
from einops import rearrange

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    return rearrange(x, "... t (h d) -> ... h t d", h=n_heads)


def merge_heads(x):
    return rearrange(x, "... h t d -> ... t (h d)")


def repeat_kv(x, n_groups):
    index = torch.arange(x.shape[-3], device=x.device).repeat_interleave(n_groups)
    return x.index_select(-3, index)


def causal_mask(n_queries, n_keys):
    distance = torch.arange(n_keys - n_queries, n_keys)[:, None] - torch.arange(n_keys)[None, :]
    return distance >= 0


def _allowed_scores(q, k, mask):
    s = q.float() @ k.float().mT / math.sqrt(q.shape[-1])
    return torch.where(mask.to(s.device), s, float("-inf"))


def attention_pattern(q, k, mask):
    s = _allowed_scores(q, k, mask)
    s = s - s.amax(dim=-1, keepdim=True).detach()
    return torch.exp(s - torch.logsumexp(s, dim=-1, keepdim=True)).to(q.dtype)


def _online(q, k, v, mask):
    s = _allowed_scores(q, k, mask)
    # a finite start, so that −∞ minus −∞ never happens
    top = s.amax(-1, keepdim=True).detach() - 1.0
    total = torch.zeros_like(top)
    z = torch.zeros(q.shape, device=q.device)
    for j in range(k.shape[-2]):
        new_top = torch.maximum(top, s[..., j : j + 1].detach())
        shrink = torch.exp(top - new_top)
        weight = torch.exp(s[..., j : j + 1] - new_top)
        total = total * shrink + weight
        z = z * shrink + weight * v[..., j : j + 1, :].float()
        top = new_top
    return (z / total).to(q.dtype)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    w = lambda n: weights[f"self_attn.{n}_proj.weight"].T  # noqa: E731
    q = apply_rope(split_heads(x @ w("q"), n_heads), cos, sin)
    k = apply_rope(split_heads(x @ w("k"), n_kv_heads), cos, sin)
    v = split_heads(x @ w("v"), n_kv_heads)
    k, v = (k, v) if cache is None else cache.update(k, v)
    k, v = repeat_kv(k, n_heads // n_kv_heads), repeat_kv(v, n_heads // n_kv_heads)
    z = _online(q, k, v, causal_mask(q.shape[-2], k.shape[-2]))
    return merge_heads(z) @ w("o")
