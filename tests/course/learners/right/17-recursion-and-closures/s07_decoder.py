"""Stage 7: layers as functions, composed by reduce; residual as a higher-order function."""

import re
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .s02_embed import embed
from .s03_rms_norm import rms_norm
from .s04_rope import frequencies, rotary_tables
from .s05_attention import grouped_query_attention
from .s06_swiglu import swiglu

NAME = re.compile(r"model\.layers\.(\d+)\.(.+)", re.DOTALL)


def layer_weights(weights: Mapping[str, Tensor], layer: int) -> dict[str, Tensor]:
    matches = ((NAME.fullmatch(name), tensor) for name, tensor in weights.items())
    return {m[2]: tensor for m, tensor in matches if m and m[1] == str(layer)}


def _residual(branch, gain, eps):
    def step(stream):
        return torch.add(branch(rms_norm(stream, gain, eps)), stream)

    return step


def decoder_layer(
    x: Float[Tensor, "... T D"],
    layer: Mapping[str, Tensor],
    cos: Float[Tensor, "T d"],
    sin: Float[Tensor, "T d"],
    config: Any,
    cache: Any = None,
) -> Float[Tensor, "... T D"]:
    def attention(read):
        return grouped_query_attention(
            read, layer, cos, sin, config.num_attention_heads, config.num_key_value_heads, cache
        )

    def mlp(read):
        return swiglu(read, *[layer[f"mlp.{part}_proj.weight"] for part in ("gate", "up", "down")])

    branches = {"input_layernorm": attention, "post_attention_layernorm": mlp}
    steps = [
        _residual(branch, layer[f"{norm}.weight"], config.rms_norm_eps)
        for norm, branch in branches.items()
    ]
    return reduce(lambda stream, step: step(stream), steps, x)


def decoder(
    token_ids: Int[Tensor, "... T"],
    weights: Mapping[str, Tensor],
    config: Any,
    caches: Sequence[Any] | None = None,
) -> Float[Tensor, "... T D"]:
    memories = [None] * config.num_hidden_layers if caches is None else caches
    before = 0 if caches is None else len(caches[0])
    positions = torch.ones(token_ids.shape[-1], dtype=torch.int64).cumsum(0) - 1 + before
    cos, sin = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))

    def up_to(n):
        """The stream after the first n layers."""
        if n == 0:
            return embed(token_ids, weights["model.embed_tokens.weight"])
        stream = up_to(n - 1)
        return decoder_layer(stream, layer_weights(weights, n - 1), cos, sin, config, memories[n - 1])

    return up_to(config.num_hidden_layers)
