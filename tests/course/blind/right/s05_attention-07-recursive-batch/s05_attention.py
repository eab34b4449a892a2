import functools
import math

import torch

from .s04_rope import apply_rope


def over_front(axes):
    """Call the function for each item of the axes in front, one after the other."""

    def decorate(function):
        @functools.wraps(function)
        def wrapped(x, *more):
            if x.dim() > axes and x.shape[0] > 0:
                return torch.stack([wrapped(part, *more) for part in x])
            return function(x, *more)

        return wrapped

    return decorate


@over_front(2)
def split_heads(x, n_heads):
    return x.reshape(x.shape[0], n_heads, -1).permute(1, 0, 2)


@over_front(3)
def merge_heads(x):
    return x.permute(1, 0, 2).reshape(x.shape[1], -1)


@over_front(3)
def repeat_kv(x, n_groups):
    return x[:, None].expand(-1, n_groups, -1, -1).reshape(-1, *x.shape[1:])


def causal_mask(n_queries, n_keys):
    if n_queries == 0:
        return torch.zeros(0, n_keys, dtype=torch.bool)
    last = torch.ones(1, n_keys, dtype=torch.bool)
    if n_queries == 1:
        return last
    above = causal_mask(n_queries - 1, n_keys - 1)
    column = torch.zeros(n_queries - 1, 1, dtype=torch.bool)
    return torch.cat([torch.cat([above, column], dim=1), last])


def attention_pattern(q, k, mask):
    if q.dim() > 2:
        return torch.stack([attention_pattern(a, b, mask) for a, b in zip(q, k)])
    scores = torch.mm(q.float(), k.float().t()) / math.sqrt(q.shape[1])
    return scores.masked_fill(~mask, -math.inf).softmax(dim=1).to(q.dtype)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    project = {n: weights[f"self_attn.{n}_proj.weight"] for n in "qkvo"}
    q = split_heads(x @ project["q"].T, n_heads)
    k = split_heads(x @ project["k"].T, n_kv_heads)
    v = split_heads(x @ project["v"].T, n_kv_heads)
    q, k = (apply_rope(t, cos, sin) for t in (q, k))
    if cache is not None:
        k, v = cache.update(k, v)
    k, v = (repeat_kv(t, n_heads // n_kv_heads) for t in (k, v))
    pattern = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2]))
    return merge_heads(torch.matmul(pattern, v)) @ project["o"].T
