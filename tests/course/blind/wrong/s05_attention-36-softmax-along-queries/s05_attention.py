from jaxtyping import Float
from torch import Tensor
import math

import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x: Float[Tensor, "... T H*d"], n_heads: int) -> Float[Tensor, "... H T d"]:
    """Cut each token's vector into heads and put the heads first."""
    return rearrange(x, "... t (h d) -> ... h t d", h=n_heads)


def merge_heads(x: Float[Tensor, "... H T d"]) -> Float[Tensor, "... T H*d"]:
    """Undo `split_heads`: lay each token's heads side by side again."""
    return rearrange(x, "... h t d -> ... t (h d)")


def repeat_kv(x, n_groups):
    return x.repeat_interleave(n_groups, dim=-3)


def causal_mask(n_queries, n_keys):
    full = torch.tril(torch.ones(n_keys, n_keys)).bool()
    return full[n_keys - n_queries :]


def attention_pattern(q, k, mask):
    scores = q.float() @ k.float().mT / math.sqrt(q.shape[-1])
    scores = scores.masked_fill(~mask, float("-inf"))
    return scores.softmax(dim=-2).nan_to_num(0.0).to(q.dtype)


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
