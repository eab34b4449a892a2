from jaxtyping import Bool, Float
from torch import Tensor
import math

import torch
from einops import rearrange, repeat

from .s04_rope import apply_rope


def split_heads(x, n_heads):
    return torch.stack(x.chunk(n_heads, dim=-1), dim=-3)


def merge_heads(x):
    return torch.cat(x.unbind(-3), dim=-1)


def repeat_kv(x, n_groups):
    return torch.repeat_interleave(x, repeats=n_groups, dim=1)


def causal_mask(n_queries, n_keys):
    full = torch.tril(torch.ones(n_keys, n_keys)).bool()
    return full[n_keys - n_queries :]


def attention_pattern(
    q: Float[Tensor, "... H Q d"], k: Float[Tensor, "... H T d"], mask: Bool[Tensor, "Q T"]
) -> Float[Tensor, "... H Q T"]:
    """How much each query looks at each key."""
    scores = q.float() @ k.float().mT / math.sqrt(q.shape[-1])
    scores = scores.masked_fill(~mask.to(q.device), -math.inf)
    return scores.softmax(dim=-1).to(q.dtype)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    no_batch = x.dim() == 2
    if no_batch:
        x = x[None]
    w = lambda n: weights[f"self_attn.{n}_proj.weight"].T  # noqa: E731
    q = apply_rope(split_heads(x @ w("q"), n_heads), cos, sin)
    k = apply_rope(split_heads(x @ w("k"), n_kv_heads), cos, sin)
    v = split_heads(x @ w("v"), n_kv_heads)
    if cache is not None:
        if no_batch:
            k, v = (t[None] for t in cache.update(k[0], v[0]))
        else:
            k, v = cache.update(k, v)
    k, v = repeat_kv(k, n_heads // n_kv_heads), repeat_kv(v, n_heads // n_kv_heads)
    z = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2])) @ v
    out = merge_heads(z) @ w("o")
    return out[0] if no_batch else out
