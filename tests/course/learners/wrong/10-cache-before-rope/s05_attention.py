"""Stage 5: attention, in the order in which I understood it."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from einops import rearrange, repeat
from jaxtyping import Bool, Float
from torch import Tensor

from .s04_rope import apply_rope


def split_heads(x: Float[Tensor, "... T H*d"], n_heads: int) -> Float[Tensor, "... H T d"]:
    *front, n_tokens, width = x.shape
    cut = x.reshape(*front, n_tokens, n_heads, width // n_heads)
    return cut.transpose(-3, -2)


def merge_heads(x: Float[Tensor, "... H T d"]) -> Float[Tensor, "... T H*d"]:
    return x.transpose(-3, -2).flatten(-2)


def repeat_kv(x: Float[Tensor, "... K T d"], n_groups: int) -> Float[Tensor, "... H T d"]:
    return x.repeat_interleave(n_groups, dim=-3)


def causal_mask(n_queries: int, n_keys: int) -> Bool[Tensor, "Q T"]:
    where_query_stands = torch.arange(n_keys - n_queries, n_keys)
    where_key_stands = torch.arange(n_keys)
    return where_key_stands[None, :] <= where_query_stands[:, None]


def attention_pattern(
    q: Float[Tensor, "... H Q d"], k: Float[Tensor, "... H T d"], mask: Bool[Tensor, "Q T"]
) -> Float[Tensor, "... H Q T"]:
    head_size = q.shape[-1]
    scores = torch.einsum("...qd,...td->...qt", q.float(), k.float()) / head_size**0.5
    scores = scores.masked_fill(~mask.to(scores.device), -math.inf)
    return torch.softmax(scores, dim=-1).to(q.dtype)


def grouped_query_attention(
    x: Float[Tensor, "... Q D"],
    weights: Mapping[str, Float[Tensor, "out in"]],
    cos: Float[Tensor, "Q d"],
    sin: Float[Tensor, "Q d"],
    n_heads: int,
    n_kv_heads: int,
    cache: Any = None,
) -> Float[Tensor, "... Q D"]:
    def project(name):
        return x @ weights[f"self_attn.{name}_proj.weight"].transpose(0, 1)

    queries = split_heads(project("q"), n_heads)
    keys = split_heads(project("k"), n_kv_heads)
    values = split_heads(project("v"), n_kv_heads)

    # first get all keys and values together, so that nothing below must know about the cache
    if cache is not None:
        keys, values = cache.update(keys, values)

    # now turn them
    queries = apply_rope(queries, cos, sin)
    keys = apply_rope(keys, cos, sin)

    group_size = n_heads // n_kv_heads
    keys = repeat_kv(keys, group_size)
    values = repeat_kv(values, group_size)

    mask = causal_mask(queries.shape[-2], keys.shape[-2])
    attended = torch.einsum("...qt,...td->...qd", attention_pattern(queries, keys, mask), values)
    return merge_heads(attended) @ weights["self_attn.o_proj.weight"].transpose(0, 1)
