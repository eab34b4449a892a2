"""Stage 7: layers on a residual stream."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .s02_embed import embed
from .s03_rms_norm import rms_norm
from .s04_rope import frequencies, rotary_tables
from .s05_attention import grouped_query_attention
from .s06_swiglu import swiglu

norm = partial(rms_norm, eps=0.00001)  # the same in both models


def layer_weights(weights: Mapping[str, Tensor], layer: int) -> dict[str, Tensor]:
    out = {}
    for name in weights:
        parts = name.split(".")
        if parts[:2] == ["model", "layers"] and parts[2] == str(layer):
            out[".".join(parts[3:])] = weights[name]
    return out


def decoder_layer(
    x: Float[Tensor, "... T D"],
    layer: Mapping[str, Tensor],
    cos: Float[Tensor, "T d"],
    sin: Float[Tensor, "T d"],
    config: Any,
    cache: Any = None,
) -> Float[Tensor, "... T D"]:
    n_heads, n_kv = config.num_attention_heads, config.num_key_value_heads
    read = norm(x, layer["input_layernorm.weight"])
    mid = x + grouped_query_attention(read, layer, cos, sin, n_heads, n_kv, cache)
    read = norm(mid, layer["post_attention_layernorm.weight"])
    gate, up, down = (layer[f"mlp.{w}_proj.weight"] for w in ("gate", "up", "down"))
    return mid + swiglu(read, gate, up, down)


def decoder(
    token_ids: Int[Tensor, "... T"],
    weights: Mapping[str, Tensor],
    config: Any,
    caches: Sequence[Any] | None = None,
) -> Float[Tensor, "... T D"]:
    offset = 0 if caches is None else len(caches[0])
    positions = torch.arange(token_ids.shape[-1]) + offset
    tables = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))
    stream = embed(token_ids, weights["model.embed_tokens.weight"])
    for n in range(config.num_hidden_layers):
        mine = caches[n] if caches is not None else None
        stream = decoder_layer(stream, layer_weights(weights, n), *tables, config, mine)
    return stream
