"""Stage 7 · The decoder: layers that add to one stream."""

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
    """One layer's weights, named as they are inside the layer.

    weights: all weights, under Hugging Face's names
    returns: those of `model.layers.{layer}.`, without that prefix
    """
    prefix = f"model.layers.{layer}."
    return {k.removeprefix(prefix): w for k, w in weights.items() if k.startswith(prefix)}


def decoder_layer(
    x: Float[Tensor, "... T D"],
    layer: Mapping[str, Tensor],
    cos: Float[Tensor, "T d"],
    sin: Float[Tensor, "T d"],
    config: Any,
    cache: Any = None,
) -> Float[Tensor, "... T D"]:
    """Attention, then the MLP; each reads a normalised copy of the stream and adds to it.

    x:        the residual stream that enters
    layer:    "input_layernorm.weight", "self_attn.q_proj.weight" (k, v, o alike),
              "post_attention_layernorm.weight", "mlp.gate_proj.weight" (up, down alike)
    cos, sin: the angles of these tokens
    config:   has num_attention_heads, num_key_value_heads and rms_norm_eps
    cache:    None, or this layer's keys and values so far, handed on to attention
    returns:  the residual stream that leaves
    """
    normed = rms_norm(x, layer["input_layernorm.weight"], config.rms_norm_eps)
    n_heads, n_kv_heads = config.num_attention_heads, config.num_key_value_heads
    x = x + grouped_query_attention(normed, layer, cos, sin, n_heads, n_kv_heads, cache)

    normed = rms_norm(x, layer["post_attention_layernorm.weight"], config.rms_norm_eps)
    return x + swiglu(
        normed,
        layer["mlp.gate_proj.weight"],
        layer["mlp.up_proj.weight"],
        layer["mlp.down_proj.weight"],
    )


def decoder(
    token_ids: Int[Tensor, "... T"],
    weights: Mapping[str, Tensor],
    config: Any,
    caches: Sequence[Any] | None = None,
) -> Float[Tensor, "... T D"]:
    """From token ids to the residual stream after the last layer.

    token_ids: the tokens
    weights:   all weights, under Hugging Face's names
    config:    as for `decoder_layer`, and num_hidden_layers, head_dim and rope_theta
    caches:    None, or one cache a layer; `len(caches[0])` tokens came before these,
               so these stand at positions len(caches[0]), len(caches[0]) + 1, …
    returns:   the residual stream, not normalised
    """
    start = 0 if caches is None else len(caches[0])
    positions = torch.arange(start, start + token_ids.shape[-1], device=token_ids.device)
    angles = frequencies(config.head_dim, config.rope_theta).to(token_ids.device)
    cos, sin = rotary_tables(positions, angles)

    x = embed(token_ids, weights["model.embed_tokens.weight"])
    for i in range(config.num_hidden_layers):
        cache = None if caches is None else caches[i]
        x = decoder_layer(x, layer_weights(weights, i), cos, sin, config, cache)
    return x
