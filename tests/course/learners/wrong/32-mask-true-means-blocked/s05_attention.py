"""Etapa 5: atencion con grupos."""

import math
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from .s04_rope import apply_rope


def split_heads(x: Float[Tensor, "... T H*d"], n_heads: int) -> Float[Tensor, "... H T d"]:
    *lote, largo, ancho = x.shape
    return x.reshape(*lote, largo, n_heads, ancho // n_heads).transpose(-2, -3)


def merge_heads(x: Float[Tensor, "... H T d"]) -> Float[Tensor, "... T H*d"]:
    return x.transpose(-2, -3).flatten(start_dim=-2)


def repeat_kv(x: Float[Tensor, "... K T d"], n_groups: int) -> Float[Tensor, "... H T d"]:
    return torch.repeat_interleave(x, n_groups, dim=-3)


def causal_mask(n_queries: int, n_keys: int) -> Bool[Tensor, "Q T"]:
    # como attn_mask de nn.MultiheadAttention
    unos = torch.ones((n_queries, n_keys), dtype=torch.bool)
    return torch.triu(unos, diagonal=n_keys - n_queries + 1)


def attention_pattern(
    q: Float[Tensor, "... H Q d"], k: Float[Tensor, "... H T d"], mask: Bool[Tensor, "Q T"]
) -> Float[Tensor, "... H Q T"]:
    puntos = torch.einsum("...qd,...kd->...qk", q, k) * q.shape[-1] ** -0.5
    puntos = puntos.masked_fill(mask, -math.inf)
    return F.softmax(puntos.float(), dim=-1).to(q.dtype) if q.dtype != torch.float64 else F.softmax(puntos, -1)


def grouped_query_attention(
    x: Float[Tensor, "... Q D"],
    weights: Mapping[str, Float[Tensor, "out in"]],
    cos: Float[Tensor, "Q d"],
    sin: Float[Tensor, "Q d"],
    n_heads: int,
    n_kv_heads: int,
    cache: Any = None,
) -> Float[Tensor, "... Q D"]:
    consultas = F.linear(x, weights["self_attn.q_proj.weight"])
    claves = F.linear(x, weights["self_attn.k_proj.weight"])
    valores = F.linear(x, weights["self_attn.v_proj.weight"])

    consultas = apply_rope(split_heads(consultas, n_heads), cos, sin)
    claves = apply_rope(split_heads(claves, n_kv_heads), cos, sin)
    valores = split_heads(valores, n_kv_heads)
    if cache is not None:
        claves, valores = cache.update(claves, valores)

    grupo = n_heads // n_kv_heads
    mascara = causal_mask(consultas.shape[-2], claves.shape[-2])
    atencion = attention_pattern(consultas, repeat_kv(claves, grupo), mascara)
    z = merge_heads(atencion @ repeat_kv(valores, grupo))
    return F.linear(z, weights["self_attn.o_proj.weight"])
