import math

import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    return torch.stack(x.chunk(n_heads, dim=-1), dim=-3)


def merge_heads(x):
    return torch.cat(x.unbind(-3), dim=-1)


def repeat_kv(x, n_groups):
    return x.repeat_interleave(n_groups, dim=-3)


def causal_mask(n_queries, n_keys):
    places = torch.arange(n_keys - n_queries, n_keys)
    return torch.arange(n_keys)[None, :] <= places[:, None]


def attention_pattern(q, k, mask):
    d = q.size(-1)
    bias = torch.zeros(mask.shape, dtype=torch.float32)
    bias.masked_fill_(mask.logical_not(), float("-inf"))
    att = torch.matmul(q.float(), k.float().transpose(-2, -1)) / d**0.5 + bias
    return torch.nn.functional.softmax(att, dim=-1).to(q.dtype)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    Wq = weights["self_attn.q_proj.weight"]
    Wk = weights["self_attn.k_proj.weight"]
    Wv = weights["self_attn.v_proj.weight"]
    Wo = weights["self_attn.o_proj.weight"]
    consultes = apply_rope(split_heads(torch.matmul(x, Wq), n_heads), cos, sin)
    claus = apply_rope(split_heads(torch.matmul(x, Wk.t()), n_kv_heads), cos, sin)
    valors = split_heads(torch.matmul(x, Wv.t()), n_kv_heads)
    if cache is not None:
        claus, valors = cache.update(claus, valors)
    grup = n_heads // n_kv_heads
    claus, valors = repeat_kv(claus, grup), repeat_kv(valors, grup)
    patro = attention_pattern(consultes, claus, causal_mask(x.shape[-2], claus.shape[-2]))
    return torch.matmul(merge_heads(patro @ valors), Wo.t())
