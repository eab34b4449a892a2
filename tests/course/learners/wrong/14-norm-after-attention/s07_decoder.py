"""Stage 7: the decoder."""

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
    prefix = f"model.layers.{layer}."
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in weights.items()
        if name.startswith(prefix)
    }


def decoder_layer(
    x: Float[Tensor, "... T D"],
    layer: Mapping[str, Tensor],
    cos: Float[Tensor, "T d"],
    sin: Float[Tensor, "T d"],
    config: Any,
    cache: Any = None,
) -> Float[Tensor, "... T D"]:
    eps = config.rms_norm_eps

    # input norm: on what goes into the layer
    branch = rms_norm(x, layer["input_layernorm.weight"], eps)
    branch = grouped_query_attention(
        branch,
        layer,
        cos,
        sin,
        n_heads=config.num_attention_heads,
        n_kv_heads=config.num_key_value_heads,
        cache=cache,
    )
    # post-attention norm: on what comes out of attention
    branch = rms_norm(branch, layer["post_attention_layernorm.weight"], eps)
    x = x + branch

    branch = swiglu(
        x,
        layer["mlp.gate_proj.weight"],
        layer["mlp.up_proj.weight"],
        layer["mlp.down_proj.weight"],
    )
    return x + branch


def decoder(
    token_ids: Int[Tensor, "... T"],
    weights: Mapping[str, Tensor],
    config: Any,
    caches: Sequence[Any] | None = None,
) -> Float[Tensor, "... T D"]:
    x = embed(token_ids, weights["model.embed_tokens.weight"])

    seen = 0 if caches is None else len(caches[0])
    positions = torch.arange(seen, seen + token_ids.shape[-1], device=x.device)
    turns = frequencies(config.head_dim, config.rope_theta).to(x.device)
    cos, sin = rotary_tables(positions, turns)

    for number in range(config.num_hidden_layers):
        cache = None if caches is None else caches[number]
        x = decoder_layer(x, layer_weights(weights, number), cos, sin, config, cache)
    return x
