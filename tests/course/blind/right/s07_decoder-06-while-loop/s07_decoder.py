import itertools

import torch

from .s02_embed import embed
from .s03_rms_norm import rms_norm
from .s04_rope import frequencies, rotary_tables
from .s05_attention import grouped_query_attention
from .s06_swiglu import swiglu


def layer_weights(weights, layer):
    """Filter, then cut."""
    prefix = "model.layers.%d." % layer
    names = filter(lambda name: name.startswith(prefix), weights)
    return {name[len(prefix):]: weights[name] for name in names}


def decoder_layer(x, layer, cos, sin, config, cache=None):
    skip, eps = x, config.rms_norm_eps
    x = rms_norm(x, layer["input_layernorm.weight"], eps)
    x = grouped_query_attention(
        x, layer, cos, sin, config.num_attention_heads, config.num_key_value_heads, cache=cache
    )
    skip = x = skip + x
    x = rms_norm(x, layer["post_attention_layernorm.weight"], eps)
    x = swiglu(
        x, layer["mlp.gate_proj.weight"], layer["mlp.up_proj.weight"], layer["mlp.down_proj.weight"]
    )
    x = skip + x
    return x


def decoder(token_ids, weights, config, caches=None):
    h = embed(token_ids, weights["model.embed_tokens.weight"])
    start = len(caches[0]) if caches is not None else 0
    memory = iter(caches) if caches is not None else itertools.repeat(None)
    cos, sin = rotary_tables(
        torch.arange(start, start + h.size(-2)), frequencies(config.head_dim, config.rope_theta)
    )
    i = 0
    while i < config.num_hidden_layers:
        h = decoder_layer(h, layer_weights(weights, i), cos, sin, config, next(memory))
        i += 1
    return h
