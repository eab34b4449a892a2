import math

import torch

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    return torch.stack(torch.tensor_split(x, n_heads, dim=-1), dim=-3)


def merge_heads(x):
    return torch.cat(torch.unbind(x, dim=-3), dim=-1)


def repeat_kv(x, n_groups):
    heads = (head for head in x.unbind(-3) for _ in range(n_groups))
    return torch.stack(list(heads), dim=-3)


def causal_mask(n_queries, n_keys):
    hidden = torch.ones(n_queries, n_keys, dtype=torch.bool).triu(n_keys - n_queries + 1)
    return ~hidden


def attention_pattern(q, k, mask):
    front, T = q.shape[:-2], k.shape[-2]
    rows = []
    for i in range(q.shape[-2]):
        seen = mask[i].nonzero().flatten().tolist()
        scores = (k[..., seen, :].float() * q[..., i : i + 1, :].float()).sum(-1) / math.sqrt(q.shape[-1])
        row = torch.zeros(*front, T, device=q.device)
        index = torch.tensor(seen, device=q.device).expand(*front, -1)
        rows.append(row.scatter(-1, index, scores.softmax(-1)))
    if not rows:
        return q.new_zeros(*front, 0, T)
    return torch.stack(rows, dim=-2).to(q.dtype)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    get = lambda n: weights["self_attn." + n + "_proj.weight"].mT  # noqa: E731
    q = apply_rope(split_heads(x @ get("q"), n_heads), cos, sin)
    k = apply_rope(split_heads(x @ get("k"), n_kv_heads), cos, sin)
    v = split_heads(x @ get("v"), n_kv_heads)
    if not (cache is None):
        k, v = cache.update(k, v)
    p = attention_pattern(
        q, repeat_kv(k, n_heads // n_kv_heads), causal_mask(q.shape[-2], k.shape[-2])
    )
    return merge_heads(p @ repeat_kv(v, n_heads // n_kv_heads)) @ get("o")
