from jaxtyping import Float
from torch import Tensor
import math

import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    d = x.shape[-1] // n_heads
    return x.reshape(*x.shape[:-1], n_heads, d).transpose(-3, -2)


def merge_heads(x: Float[Tensor, "... H T d"]) -> Float[Tensor, "... T H*d"]:
    """Undo `split_heads`: lay each token's heads side by side again."""
    return rearrange(x, "... h t d -> ... t (h d)")


def repeat_kv(x, n_groups):
    if n_groups == 1:
        return x
    *front, k, t, d = x.shape
    x = x.unsqueeze(-3).expand(*front, k, n_groups, t, d)
    return x.reshape(*front, k * n_groups, t, d)


def causal_mask(n_queries, n_keys):
    places = torch.arange(n_keys - n_queries, n_keys)
    return torch.arange(n_keys)[None, :] <= places[:, None]


def attention_pattern(q, k, mask):
    # like in BERT
    extended = (1.0 - mask.float()) * -10000.0
    scores = q.float() @ k.float().transpose(-1, -2) / math.sqrt(q.size(-1))
    return torch.softmax(scores + extended, dim=-1).to(q.dtype)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    Wq, Wk, Wv, Wo = (weights["self_attn." + n + "_proj.weight"] for n in "qkvo")
    # projections
    q = torch.einsum("...i,oi->...o", x, Wq)
    k = torch.einsum("...i,oi->...o", x, Wk)
    v = torch.einsum("...i,oi->...o", x, Wv)
    # heads
    q = split_heads(q, n_heads)
    k = split_heads(k, n_kv_heads)
    v = split_heads(v, n_kv_heads)
    # positions
    q = apply_rope(q, cos, sin)
    k = apply_rope(k, cos, sin)
    # cache
    if cache is not None:
        k, v = cache.update(k, v)
    # attention
    k = repeat_kv(k, n_heads // n_kv_heads)
    v = repeat_kv(v, n_heads // n_kv_heads)
    A = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2]))
    z = torch.einsum("...qt,...td->...qd", A, v)
    # output
    return torch.einsum("...i,oi->...o", merge_heads(z), Wo)
