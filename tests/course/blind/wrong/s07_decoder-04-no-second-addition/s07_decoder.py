import torch
from jaxtyping import Float
from torch import Tensor

from .s02_embed import embed
from .s03_rms_norm import rms_norm
from .s04_rope import frequencies, rotary_tables
from .s05_attention import grouped_query_attention
from .s06_swiglu import swiglu


def layer_weights(weights, layer):
    out = dict()
    for full_name, tensor in weights.items():
        parts = full_name.split(".")
        if parts[:3] == ["model", "layers", str(layer)]:
            out[".".join(parts[3:])] = tensor
    return out


def decoder_layer(x, layer, cos, sin, config, cache=None) -> Float[Tensor, "... T D"]:
    norm1 = layer["input_layernorm.weight"]
    norm2 = layer["post_attention_layernorm.weight"]
    gate, up, down = (layer[f"mlp.{w}_proj.weight"] for w in ["gate", "up", "down"])
    x = x + grouped_query_attention(
        rms_norm(x, norm1, config.rms_norm_eps),
        layer, cos, sin, config.num_attention_heads, config.num_key_value_heads, cache,
    )
    return swiglu(rms_norm(x, norm2, config.rms_norm_eps), gate, up, down)


def decoder(token_ids, weights, config, caches=None):
    offset = len(caches[0]) if caches is not None else 0
    angles = frequencies(config.head_dim, config.rope_theta)
    tables = rotary_tables(torch.arange(offset, offset + token_ids.size(-1)), angles)
    stream = embed(token_ids, weights["model.embed_tokens.weight"])
    for i in range(config.num_hidden_layers):
        stream = decoder_layer(
            stream, layer_weights(weights, i), *tables, config, None if caches is None else caches[i]
        )
    return stream
