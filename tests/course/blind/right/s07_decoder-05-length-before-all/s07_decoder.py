import re
from collections import defaultdict

import torch

from .s02_embed import embed
from .s03_rms_norm import rms_norm
from .s04_rope import frequencies, rotary_tables
from .s05_attention import grouped_query_attention
from .s06_swiglu import swiglu

NAME = re.compile(r"model\.layers\.(\d+)\.(.+)")


def _grouped(weights):
    groups = defaultdict(dict)
    for name, tensor in weights.items():
        if match := NAME.fullmatch(name):
            groups[int(match[1])][match[2]] = tensor
    return groups


def layer_weights(weights, layer):
    return _grouped(weights)[layer]


def decoder_layer(x, layer, cos, sin, config, cache=None):
    """x -> x' -> x''"""
    read = rms_norm(x, layer["input_layernorm.weight"], config.rms_norm_eps)
    x = torch.add(
        x,
        grouped_query_attention(
            read, layer, cos, sin, config.num_attention_heads, config.num_key_value_heads, cache
        ),
    )
    read = rms_norm(x, layer["post_attention_layernorm.weight"], config.rms_norm_eps)
    matrices = [layer[f"mlp.{kind}_proj.weight"] for kind in ["gate", "up", "down"]]
    return torch.add(x, swiglu(read, *matrices))


def decoder(token_ids, weights, config, caches=None):
    seen = 0 if caches is None else len(caches[0])
    groups = _grouped(weights)
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    for n in range(config.num_hidden_layers):
        positions = torch.arange(x.shape[-2]) + seen
        cos, sin = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))
        x = decoder_layer(x, groups[n], cos, sin, config, caches[n] if caches is not None else None)
    return x
