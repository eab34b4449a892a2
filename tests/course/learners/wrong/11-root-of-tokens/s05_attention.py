"""Etapa 5: atención con grupos."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from einops import rearrange, repeat
from jaxtyping import Bool, Float
from torch import Tensor

from .s04_rope import apply_rope


def split_heads(x: Float[Tensor, "... T H*d"], n_heads: int) -> Float[Tensor, "... H T d"]:
    # cada cabeza es un trozo seguido del vector
    trozos = x.chunk(n_heads, dim=-1)
    return torch.stack(trozos, dim=-3)


def merge_heads(x: Float[Tensor, "... H T d"]) -> Float[Tensor, "... T H*d"]:
    return torch.cat(x.unbind(dim=-3), dim=-1)


def repeat_kv(x: Float[Tensor, "... K T d"], n_groups: int) -> Float[Tensor, "... H T d"]:
    cabezas = []
    for cabeza in x.unbind(dim=-3):
        for _ in range(n_groups):
            cabezas.append(cabeza)
    return torch.stack(cabezas, dim=-3)


def causal_mask(n_queries: int, n_keys: int) -> Bool[Tensor, "Q T"]:
    mascara = torch.zeros(n_queries, n_keys, dtype=torch.bool)
    for i in range(n_queries):
        mascara[i, : n_keys - n_queries + i + 1] = True
    return mascara


def attention_pattern(
    q: Float[Tensor, "... H Q d"], k: Float[Tensor, "... H T d"], mask: Bool[Tensor, "Q T"]
) -> Float[Tensor, "... H Q T"]:
    k_t = k.transpose(-2, -1)
    d = k_t.shape[-1]
    puntos = torch.matmul(q.float(), k_t.float()) / math.sqrt(d)
    puntos = puntos.masked_fill(mask.to(q.device).logical_not(), float("-inf"))
    return puntos.softmax(dim=-1).to(q.dtype)


def grouped_query_attention(
    x: Float[Tensor, "... Q D"],
    weights: Mapping[str, Float[Tensor, "out in"]],
    cos: Float[Tensor, "Q d"],
    sin: Float[Tensor, "Q d"],
    n_heads: int,
    n_kv_heads: int,
    cache: Any = None,
) -> Float[Tensor, "... Q D"]:
    w_q = weights["self_attn.q_proj.weight"]
    w_k = weights["self_attn.k_proj.weight"]
    w_v = weights["self_attn.v_proj.weight"]
    w_o = weights["self_attn.o_proj.weight"]

    consultas = apply_rope(split_heads(x @ w_q.T, n_heads), cos, sin)
    claves = apply_rope(split_heads(x @ w_k.T, n_kv_heads), cos, sin)
    valores = split_heads(x @ w_v.T, n_kv_heads)
    if cache is not None:
        claves, valores = cache.update(claves, valores)

    grupos = n_heads // n_kv_heads
    claves = repeat_kv(claves, grupos)
    valores = repeat_kv(valores, grupos)
    mascara = causal_mask(consultas.shape[-2], claves.shape[-2])
    z = attention_pattern(consultas, claves, mascara) @ valores
    return merge_heads(z) @ w_o.T
