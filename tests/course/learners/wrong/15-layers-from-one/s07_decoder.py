"""Stage 7: layers on one stream."""

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
    mine = {}
    for full_name in weights:
        parts = full_name.split(".", 3)
        if len(parts) == 4 and parts[:2] == ["model", "layers"] and parts[2] == str(layer):
            mine[parts[3]] = weights[full_name]
    return mine


class Layer:
    def __init__(self, w, config):
        self.w = w
        self.config = config

    def attention(self, x, cos, sin, cache):
        h, kv = self.config.num_attention_heads, self.config.num_key_value_heads
        x = rms_norm(x, self.w["input_layernorm.weight"], self.config.rms_norm_eps)
        return grouped_query_attention(x, self.w, cos, sin, h, kv, cache)

    def mlp(self, x):
        x = rms_norm(x, self.w["post_attention_layernorm.weight"], self.config.rms_norm_eps)
        return swiglu(x, *(self.w[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")))

    def __call__(self, x, cos, sin, cache):
        x = x + self.attention(x, cos, sin, cache)
        x = x + self.mlp(x)
        return x


def decoder_layer(
    x: Float[Tensor, "... T D"],
    layer: Mapping[str, Tensor],
    cos: Float[Tensor, "T d"],
    sin: Float[Tensor, "T d"],
    config: Any,
    cache: Any = None,
) -> Float[Tensor, "... T D"]:
    return Layer(layer, config)(x, cos, sin, cache)


def decoder(
    token_ids: Int[Tensor, "... T"],
    weights: Mapping[str, Tensor],
    config: Any,
    caches: Sequence[Any] | None = None,
) -> Float[Tensor, "... T D"]:
    n_tokens = token_ids.size(-1)
    start = len(caches[0]) if caches is not None else 0
    positions = start + torch.arange(n_tokens, device=token_ids.device)
    speeds = frequencies(config.head_dim, config.rope_theta).to(token_ids.device)
    cos, sin = rotary_tables(positions, speeds)

    # states[0] is the embedding, then one for each layer
    states = [embed(token_ids, weights["model.embed_tokens.weight"])]
    for i in range(1, config.num_hidden_layers):
        cache = caches[i] if caches is not None else None
        states.append(decoder_layer(states[-1], layer_weights(weights, i), cos, sin, config, cache))
    return states[-1]
