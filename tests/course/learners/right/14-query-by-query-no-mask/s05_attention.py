"""Etapa 5: cada cap i cada consulta a soles, amb les claus retallades i sense màscara."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from .s04_rope import apply_rope


def split_heads(x: Float[Tensor, "... T H*d"], n_heads: int) -> Float[Tensor, "... H T d"]:
    d = x.shape[-1] // n_heads
    return torch.stack([x[..., h * d : (h + 1) * d] for h in range(n_heads)], dim=-3)


def merge_heads(x: Float[Tensor, "... H T d"]) -> Float[Tensor, "... T H*d"]:
    return torch.cat([x[..., h, :, :] for h in range(x.shape[-3])], dim=-1)


def repeat_kv(x: Float[Tensor, "... K T d"], n_groups: int) -> Float[Tensor, "... H T d"]:
    n = x.shape[-3] * n_groups
    return torch.stack([x[..., h // n_groups, :, :] for h in range(n)], dim=-3)


def causal_mask(n_queries: int, n_keys: int) -> Bool[Tensor, "Q T"]:
    mascara = torch.zeros((n_queries, n_keys), dtype=torch.bool)
    for i, fila in enumerate(mascara):
        fila[: n_keys - n_queries + i + 1] = True
    return mascara


def _probabilitats(punts):
    ample = punts.to(torch.promote_types(punts.dtype, torch.float32))
    return torch.softmax(ample, dim=-1)


def attention_pattern(
    q: Float[Tensor, "... H Q d"], k: Float[Tensor, "... H T d"], mask: Bool[Tensor, "Q T"]
) -> Float[Tensor, "... H Q T"]:
    if q.shape[-2] == 0:
        return q @ k.transpose(-1, -2)
    ample = torch.promote_types(q.dtype, torch.float32)
    files = []
    for i in range(q.shape[-2]):
        permes = mask[i].nonzero().flatten()
        consulta = q[..., i, None, :].to(ample)
        claus = k.index_select(-2, permes).to(ample)
        fila = _probabilitats((consulta * claus).sum(-1) / math.sqrt(q.shape[-1]))
        buida = fila.new_zeros(*fila.shape[:-1], k.shape[-2])
        files.append(buida.index_add(-1, permes, fila))
    return torch.stack(files, dim=-2).to(q.dtype)


def grouped_query_attention(
    x: Float[Tensor, "... Q D"],
    weights: Mapping[str, Float[Tensor, "out in"]],
    cos: Float[Tensor, "Q d"],
    sin: Float[Tensor, "Q d"],
    n_heads: int,
    n_kv_heads: int,
    cache: Any = None,
) -> Float[Tensor, "... Q D"]:
    wq, wk, wv, wo = (weights["self_attn." + c + "_proj.weight"] for c in "qkvo")
    q = apply_rope(split_heads(x @ wq.T, n_heads), cos, sin)
    k = apply_rope(split_heads(x @ wk.T, n_kv_heads), cos, sin)
    v = split_heads(x @ wv.T, n_kv_heads)
    if cache is not None:
        k, v = cache.update(k, v)
    if q.shape[-2] == 0:
        return torch.zeros_like(x)
    ample = torch.promote_types(x.dtype, torch.float32)
    q, k, v = q.to(ample), k.to(ample), v.to(ample)
    abans = k.shape[-2] - q.shape[-2]
    grup = n_heads // n_kv_heads
    suma = 0
    for h, w_cap in enumerate(wo.chunk(n_heads, dim=1)):
        k_cap, v_cap = k[..., h // grup, :, :], v[..., h // grup, :, :]
        files = []
        for i in range(q.shape[-2]):
            veu = abans + i + 1
            punts = (k_cap[..., :veu, :] * q[..., h, i, None, :]).sum(-1) / math.sqrt(q.shape[-1])
            pes = _probabilitats(punts).unsqueeze(-1)
            files.append((pes * v_cap[..., :veu, :]).sum(-2))
        # cada cap escriu la seua part de l'eixida
        suma = suma + torch.stack(files, dim=-2) @ w_cap.T.to(ample)
    return suma.to(x.dtype)
