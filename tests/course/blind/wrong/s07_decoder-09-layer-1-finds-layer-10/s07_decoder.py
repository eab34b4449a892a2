import torch

from .s02_embed import embed
from .s03_rms_norm import rms_norm
from .s04_rope import frequencies, rotary_tables
from .s05_attention import grouped_query_attention
from .s06_swiglu import swiglu


def layer_weights(weights, layer):
    mine = {}
    for name, tensor in weights.items():
        if name.startswith(f"model.layers.{layer}"):
            # model . layers . l . the rest
            mine[name.split(".", 3)[3]] = tensor
    return mine


def decoder_layer(x, layer, cos, sin, config, cache=None):
    a = grouped_query_attention(
        rms_norm(x, layer["input_layernorm.weight"], config.rms_norm_eps),
        layer,
        cos,
        sin,
        config.num_attention_heads,
        config.num_key_value_heads,
        cache,
    )
    y = x + a
    m = swiglu(
        rms_norm(y, layer["post_attention_layernorm.weight"], config.rms_norm_eps),
        layer["mlp.gate_proj.weight"],
        layer["mlp.up_proj.weight"],
        layer["mlp.down_proj.weight"],
    )
    return y + m


def decoder(token_ids, weights, config, caches=None):
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    old = len(caches[0]) if caches is not None else 0
    cos, sin = rotary_tables(
        torch.arange(old, old + token_ids.shape[-1]),
        frequencies(config.head_dim, config.rope_theta),
    )
    for l in range(config.num_hidden_layers):
        c = caches[l] if caches is not None else None
        x = decoder_layer(x, layer_weights(weights, l), cos, sin, config, c)
    return x
