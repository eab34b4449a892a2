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
    h = rms_norm(x, layer["input_layernorm.weight"], config.rms_norm_eps)
    x = x + grouped_query_attention(
        h, layer, cos, sin, config.num_attention_heads, config.num_key_value_heads, cache or None
    )
    h = rms_norm(x, layer["post_attention_layernorm.weight"], config.rms_norm_eps)
    return x + swiglu(
        h, layer["mlp.gate_proj.weight"], layer["mlp.up_proj.weight"], layer["mlp.down_proj.weight"]
    )


def decoder(token_ids, weights, config, caches=None):
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    if caches:
        start = len(caches[0])
    else:
        start = 0
    cos, sin = rotary_tables(
        torch.arange(start, start + token_ids.shape[-1]),
        frequencies(config.head_dim, config.rope_theta),
    )
    for i in range(config.num_hidden_layers):
        x = decoder_layer(
            x, layer_weights(weights, i), cos, sin, config, caches[i] if caches else None
        )
    return x
