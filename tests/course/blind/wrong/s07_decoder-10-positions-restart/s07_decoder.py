import torch

from .s02_embed import embed
from .s03_rms_norm import rms_norm
from .s04_rope import frequencies, rotary_tables
from .s05_attention import grouped_query_attention
from .s06_swiglu import swiglu


def layer_weights(weights, layer):
    prefix = f"model.layers.{layer}."
    n = len(prefix)
    return {name[n:]: w for name, w in weights.items() if name.startswith(prefix)}


def decoder_layer(x, layer, cos, sin, config, cache=None):
    eps = config.rms_norm_eps
    h = rms_norm(x, layer["input_layernorm.weight"], eps)
    h = grouped_query_attention(
        h, layer, cos, sin, config.num_attention_heads, config.num_key_value_heads, cache
    )
    x = x + h
    h = rms_norm(x, layer["post_attention_layernorm.weight"], eps)
    h = swiglu(
        h, layer["mlp.gate_proj.weight"], layer["mlp.up_proj.weight"], layer["mlp.down_proj.weight"]
    )
    return x + h


def decoder(token_ids, weights, config, caches=None):
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    T = token_ids.shape[-1]
    cos, sin = rotary_tables(torch.arange(T), frequencies(config.head_dim, config.rope_theta))
    for i in range(config.num_hidden_layers):
        cache = caches[i] if caches is not None else None
        x = decoder_layer(x, layer_weights(weights, i), cos, sin, config, cache)
    return x
