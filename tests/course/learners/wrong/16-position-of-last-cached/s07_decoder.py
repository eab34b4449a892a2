"""Etapa 7: el descodificador."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .s02_embed import embed
from .s03_rms_norm import rms_norm
from .s04_rope import frequencies, rotary_tables
from .s05_attention import grouped_query_attention
from .s06_swiglu import swiglu


def layer_weights(weights: Mapping[str, Tensor], layer: int) -> dict[str, Tensor]:
    inici = "model.layers." + str(layer) + "."
    capa = {}
    for nom, pes in weights.items():
        if nom.startswith(inici):
            capa[nom[len(inici) :]] = pes
    return capa


def decoder_layer(
    x: Float[Tensor, "... T D"],
    layer: Mapping[str, Tensor],
    cos: Float[Tensor, "T d"],
    sin: Float[Tensor, "T d"],
    config: Any,
    cache: Any = None,
) -> Float[Tensor, "... T D"]:
    copia = rms_norm(x, layer["input_layernorm.weight"], config.rms_norm_eps)
    atencio = grouped_query_attention(
        copia, layer, cos, sin, config.num_attention_heads, config.num_key_value_heads, cache
    )
    corrent = x + atencio

    copia = rms_norm(corrent, layer["post_attention_layernorm.weight"], config.rms_norm_eps)
    porta = layer["mlp.gate_proj.weight"]
    amunt = layer["mlp.up_proj.weight"]
    avall = layer["mlp.down_proj.weight"]
    return corrent + swiglu(copia, porta, amunt, avall)


def decoder(
    token_ids: Int[Tensor, "... T"],
    weights: Mapping[str, Tensor],
    config: Any,
    caches: Sequence[Any] | None = None,
) -> Float[Tensor, "... T D"]:
    primera = 0
    if caches is not None and len(caches[0]) > 0:
        # comptem des de 0: si n'hi ha 5, som a la posició 4
        primera = len(caches[0]) - 1

    corrent = embed(token_ids, weights["model.embed_tokens.weight"])
    quants = token_ids.shape[-1]
    posicions = torch.arange(primera, primera + quants, device=corrent.device)
    angles = frequencies(config.head_dim, config.rope_theta).to(corrent.device)
    cos, sin = rotary_tables(posicions, angles)

    for num in range(config.num_hidden_layers):
        memoria = None
        if caches is not None:
            memoria = caches[num]
        corrent = decoder_layer(corrent, layer_weights(weights, num), cos, sin, config, memoria)
    return corrent
