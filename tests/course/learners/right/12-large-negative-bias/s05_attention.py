"""Etapa 5: un sesgo muy negativo en lugar de -inf, y exponenciales a mano."""

from collections.abc import Mapping
from typing import Any

import torch
from einops import rearrange, repeat
from jaxtyping import Bool, Float
from torch import Tensor

from .s04_rope import apply_rope


def split_heads(x: Float[Tensor, "... T H*d"], n_heads: int) -> Float[Tensor, "... H T d"]:
    return x.unflatten(-1, (n_heads, -1)).movedim(-2, -3)


def merge_heads(x: Float[Tensor, "... H T d"]) -> Float[Tensor, "... T H*d"]:
    return x.movedim(-3, -2).flatten(-2)


def repeat_kv(x: Float[Tensor, "... K T d"], n_groups: int) -> Float[Tensor, "... H T d"]:
    de_quien = torch.arange(x.shape[-3] * n_groups, device=x.device) // n_groups
    return x.index_select(-3, de_quien)


def causal_mask(n_queries: int, n_keys: int) -> Bool[Tensor, "Q T"]:
    futuro = torch.ones(n_queries, n_keys).triu(1 + n_keys - n_queries)
    return futuro == 0


def attention_pattern(
    q: Float[Tensor, "... H Q d"], k: Float[Tensor, "... H T d"], mask: Bool[Tensor, "Q T"]
) -> Float[Tensor, "... H Q T"]:
    if len(mask) == 0:
        return q @ k.transpose(-1, -2)
    ancho = torch.float64 if q.dtype == torch.float64 else torch.float32
    raiz4 = q.shape[-1] ** 0.25  # la mitad de la raiz a cada lado
    puntos = (q.to(ancho) / raiz4) @ (k.to(ancho) / raiz4).transpose(-1, -2)
    puntos = puntos.masked_fill(mask.logical_not(), torch.finfo(ancho).min)
    fuerza = torch.exp(puntos - puntos.amax(-1, keepdim=True)) * mask
    return (fuerza / fuerza.sum(-1, keepdim=True)).to(q.dtype)


def grouped_query_attention(
    x: Float[Tensor, "... Q D"],
    weights: Mapping[str, Float[Tensor, "out in"]],
    cos: Float[Tensor, "Q d"],
    sin: Float[Tensor, "Q d"],
    n_heads: int,
    n_kv_heads: int,
    cache: Any = None,
) -> Float[Tensor, "... Q D"]:
    # las tres proyecciones de una vez
    tres = [weights[f"self_attn.{letra}_proj.weight"] for letra in "qkv"]
    q, k, v = (x @ torch.cat(tres).T).split([len(w) for w in tres], dim=-1)
    q, k, v = split_heads(q, n_heads), split_heads(k, n_kv_heads), split_heads(v, n_kv_heads)
    # girar consultas y claves juntas: son cabezas una junto a otra
    qk = apply_rope(torch.cat([q, k], dim=-3), cos, sin)
    q, k = qk.split([n_heads, n_kv_heads], dim=-3)
    if cache is not None:
        k, v = cache.update(k, v)
    grupo = n_heads // n_kv_heads
    patron = attention_pattern(q, repeat_kv(k, grupo), causal_mask(q.shape[-2], k.shape[-2]))
    return merge_heads(patron @ repeat_kv(v, grupo)) @ weights["self_attn.o_proj.weight"].T
