"""Etapa 5: qui mira a qui."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from einops import rearrange, repeat
from jaxtyping import Bool, Float
from torch import Tensor

from .s04_rope import apply_rope


def split_heads(x: Float[Tensor, "... T H*d"], n_heads: int) -> Float[Tensor, "... H T d"]:
    return rearrange(x, "... t (cap d) -> ... cap t d", cap=n_heads)


def merge_heads(x: Float[Tensor, "... H T d"]) -> Float[Tensor, "... T H*d"]:
    return rearrange(x, "... cap t d -> ... t (cap d)")


def repeat_kv(x: Float[Tensor, "... K T d"], n_groups: int) -> Float[Tensor, "... H T d"]:
    if n_groups == 1:
        return x
    return repeat(x, "... cap t d -> ... (cap grup) t d", grup=n_groups)


def causal_mask(n_queries: int, n_keys: int) -> Bool[Tensor, "Q T"]:
    mascara = torch.zeros(n_queries, n_keys, dtype=torch.bool)
    for fila in range(n_queries):
        mascara[fila, : n_keys - n_queries + fila + 1] = True
    return mascara


def attention_pattern(
    q: Float[Tensor, "... H Q d"], k: Float[Tensor, "... H T d"], mask: Bool[Tensor, "Q T"]
) -> Float[Tensor, "... H Q T"]:
    puntuacions = (q / math.sqrt(q.shape[-1])) @ k.mT
    puntuacions = torch.where(mask, puntuacions, -torch.inf)
    return puntuacions.softmax(dim=-1)


def grouped_query_attention(
    x: Float[Tensor, "... Q D"],
    weights: Mapping[str, Float[Tensor, "out in"]],
    cos: Float[Tensor, "Q d"],
    sin: Float[Tensor, "Q d"],
    n_heads: int,
    n_kv_heads: int,
    cache: Any = None,
) -> Float[Tensor, "... Q D"]:
    grups = n_heads // n_kv_heads
    q = split_heads(x @ weights["self_attn.q_proj.weight"].mT, n_heads)
    k = split_heads(x @ weights["self_attn.k_proj.weight"].mT, n_kv_heads)
    v = split_heads(x @ weights["self_attn.v_proj.weight"].mT, n_kv_heads)
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    k, v = repeat_kv(k, grups), repeat_kv(v, grups)
    if cache is not None:
        k, v = cache.update(k, v)
    patro = attention_pattern(q, k, causal_mask(q.shape[-2], k.shape[-2]))
    return merge_heads(patro @ v) @ weights["self_attn.o_proj.weight"].mT
