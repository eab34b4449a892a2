import torch

from .s02_embed import embed
from .s03_rms_norm import rms_norm
from .s04_rope import frequencies, rotary_tables
from .s05_attention import grouped_query_attention
from .s06_swiglu import swiglu


def layer_weights(weights, layer):
    prefix = f"model.layers.{layer}."
    return {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}


def decoder_layer(x, layer, cos, sin, config, cache=None):
    attn_in = rms_norm(x, layer["input_layernorm.weight"], config.rms_norm_eps)
    x = x + grouped_query_attention(
        attn_in, layer, cos, sin, config.num_attention_heads, config.num_key_value_heads, cache
    )
    mlp_in = rms_norm(x, layer["post_attention_layernorm.weight"], config.rms_norm_eps)
    x = x + swiglu(
        mlp_in,
        layer["mlp.gate_proj.weight"],
        layer["mlp.up_proj.weight"],
        layer["mlp.down_proj.weight"],
    )
    return x


def decoder(token_ids, weights, config, caches=None):
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    freqs = frequencies(config.head_dim, config.rope_theta)
    n = token_ids.shape[-1]
    for i in range(config.num_hidden_layers):
        if caches is None:
            start, cache = 0, None
        else:
            start, cache = len(caches[0]), caches[i]
        cos, sin = rotary_tables(torch.arange(start, start + n), freqs)
        x = decoder_layer(x, layer_weights(weights, i), cos, sin, config, cache)
    return x
