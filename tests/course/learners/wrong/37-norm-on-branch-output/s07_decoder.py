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
    pesos_capa = {}
    for nom, tensor in weights.items():
        cap, _, cua = nom.partition(f"model.layers.{layer}.")
        if cua and not cap:
            pesos_capa[cua] = tensor
    return pesos_capa


def decoder_layer(
    x: Float[Tensor, "... T D"],
    layer: Mapping[str, Tensor],
    cos: Float[Tensor, "T d"],
    sin: Float[Tensor, "T d"],
    config: Any,
    cache: Any = None,
) -> Float[Tensor, "... T D"]:
    eps = config.rms_norm_eps

    atencio = grouped_query_attention(
        x, layer, cos, sin, config.num_attention_heads, config.num_key_value_heads, cache
    )
    x = x + rms_norm(atencio, layer["input_layernorm.weight"], eps)

    mlp = swiglu(
        x,
        w_gate=layer["mlp.gate_proj.weight"],
        w_up=layer["mlp.up_proj.weight"],
        w_down=layer["mlp.down_proj.weight"],
    )
    x = x + rms_norm(mlp, layer["post_attention_layernorm.weight"], eps)
    return x


def decoder(
    token_ids: Int[Tensor, "... T"],
    weights: Mapping[str, Tensor],
    config: Any,
    caches: Sequence[Any] | None = None,
) -> Float[Tensor, "... T D"]:
    corrent = embed(token_ids, weights["model.embed_tokens.weight"])
    primera = 0
    if caches is not None:
        primera = len(caches[0])
    else:
        caches = [None] * config.num_hidden_layers
    posicions = torch.arange(primera, primera + token_ids.size(-1))
    cos, sin = rotary_tables(posicions, frequencies(config.head_dim, config.rope_theta))
    for capa in range(config.num_hidden_layers):
        pesos = layer_weights(weights, capa)
        corrent = decoder_layer(corrent, pesos, cos, sin, config, caches[capa])
    return corrent
