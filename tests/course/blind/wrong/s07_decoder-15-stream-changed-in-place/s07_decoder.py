import torch

from .s02_embed import embed
from .s03_rms_norm import rms_norm
from .s04_rope import frequencies, rotary_tables
from .s05_attention import grouped_query_attention
from .s06_swiglu import swiglu


def layer_weights(weights, layer):
    prefix = f"model.layers.{layer}."
    return {k[len(prefix):]: w for k, w in weights.items() if k.startswith(prefix)}


def decoder_layer(x, layer, cos, sin, config, cache=None):
    x += grouped_query_attention(
        rms_norm(x, layer["input_layernorm.weight"], config.rms_norm_eps),
        layer,
        cos,
        sin,
        config.num_attention_heads,
        config.num_key_value_heads,
        cache,
    )
    x += swiglu(
        rms_norm(x, layer["post_attention_layernorm.weight"], config.rms_norm_eps),
        layer["mlp.gate_proj.weight"],
        layer["mlp.up_proj.weight"],
        layer["mlp.down_proj.weight"],
    )
    return x


def decoder(token_ids, weights, config, caches=None):
    stream = embed(token_ids, weights["model.embed_tokens.weight"]).clone()
    start = 0 if caches is None else len(caches[0])
    cos, sin = rotary_tables(
        torch.arange(start, start + token_ids.shape[-1]),
        frequencies(config.head_dim, config.rope_theta),
    )
    for i in range(config.num_hidden_layers):
        cache = None if caches is None else caches[i]
        stream = decoder_layer(stream, layer_weights(weights, i), cos, sin, config, cache)
    return stream
