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
    start = f"model.layers.{layer}."
    return {k[len(start) :]: t for k, t in weights.items() if k.startswith(start)}


def _mlp(h, layer):
    return swiglu(h, *(layer[f"mlp.{n}_proj.weight"] for n in ("gate", "up", "down")))


def decoder_layer(
    x: Float[Tensor, "... T D"],
    layer: Mapping[str, Tensor],
    cos: Float[Tensor, "T d"],
    sin: Float[Tensor, "T d"],
    config: Any,
    cache: Any = None,
) -> Float[Tensor, "... T D"]:
    ln1 = rms_norm(x, layer["input_layernorm.weight"], config.rms_norm_eps)
    ln2 = rms_norm(x, layer["post_attention_layernorm.weight"], config.rms_norm_eps)
    attn_out = grouped_query_attention(
        ln1,
        layer,
        cos,
        sin,
        n_heads=config.num_attention_heads,
        n_kv_heads=config.num_key_value_heads,
        cache=cache,
    )
    mlp_out = _mlp(ln2, layer)
    return x + attn_out + mlp_out


def decoder(
    token_ids: Int[Tensor, "... T"],
    weights: Mapping[str, Tensor],
    config: Any,
    caches: Sequence[Any] | None = None,
) -> Float[Tensor, "... T D"]:
    hidden = embed(token_ids, weights["model.embed_tokens.weight"])
    past = len(caches[0]) if caches is not None else 0
    pos = past + torch.arange(token_ids.shape[-1])
    cos, sin = rotary_tables(pos, frequencies(config.head_dim, config.rope_theta))
    for i in range(config.num_hidden_layers):
        hidden = decoder_layer(
            hidden,
            layer_weights(weights, i),
            cos,
            sin,
            config,
            caches[i] if caches is not None else None,
        )
    return hidden
