from jaxtyping import Bool, Float
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
    places = torch.arange(n_keys - n_queries, n_keys)
    return torch.arange(n_keys)[None, :] <= places[:, None]


def attention_pattern(
    q: Float[Tensor, "... H Q d"], k: Float[Tensor, "... H T d"], mask: Bool[Tensor, "Q T"]
) -> Float[Tensor, "... H Q T"]:
    """How much each query looks at each key."""
    scores = q.float() @ k.float().mT / math.sqrt(q.shape[-1])
    scores = scores.masked_fill(~mask.to(q.device), -math.inf)
    return scores.softmax(dim=-1).to(q.dtype)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    P = lambda letter: weights[f"self_attn.{letter}_proj.weight"]  # noqa: E731
    q = split_heads(x @ P("q").mT, n_heads)
    k = split_heads(x @ P("k").mT, n_kv_heads)
    v = split_heads(x @ P("v").mT, n_kv_heads)
    q, k = [apply_rope(t, cos, sin) for t in (q, k)]
    if cache is not None:
        cache.update(k, v)
    reps = n_heads // n_kv_heads
    k, v = repeat_kv(k, reps), repeat_kv(v, reps)
    m = causal_mask(q.shape[-2], k.shape[-2])
    return merge_heads(attention_pattern(q, k, m) @ v) @ P("o").mT
