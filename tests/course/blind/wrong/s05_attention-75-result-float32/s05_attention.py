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


def causal_mask(n_queries: int, n_keys: int) -> Bool[Tensor, "Q T"]:
    """Which key each query may look at: its own token and those before it."""
    return torch.ones(n_queries, n_keys, dtype=torch.bool).tril(n_keys - n_queries)


def attention_pattern(
    q: Float[Tensor, "... H Q d"], k: Float[Tensor, "... H T d"], mask: Bool[Tensor, "Q T"]
) -> Float[Tensor, "... H Q T"]:
    """How much each query looks at each key."""
    scores = q.float() @ k.float().mT / math.sqrt(q.shape[-1])
    scores = scores.masked_fill(~mask.to(q.device), -math.inf)
    return scores.softmax(dim=-1).to(q.dtype)


def grouped_query_attention(x, weights, cos, sin, n_heads, n_kv_heads, cache=None):
    W = {n: weights[f"self_attn.{n}_proj.weight"].T for n in "qkvo"}
    q = apply_rope(split_heads(x @ W["q"], n_heads), cos, sin)
    k = apply_rope(split_heads(x @ W["k"], n_kv_heads), cos, sin)
    v = split_heads(x @ W["v"], n_kv_heads)
    if cache is not None:
        k, v = cache.update(k, v)
    g = n_heads // n_kv_heads
    p = attention_pattern(q, repeat_kv(k, g), causal_mask(q.shape[-2], k.shape[-2]))
    z = merge_heads(p.float() @ repeat_kv(v, g).float())
    return z @ W["o"].float()
