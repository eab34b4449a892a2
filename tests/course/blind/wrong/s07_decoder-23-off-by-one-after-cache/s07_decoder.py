import torch

from .s02_embed import embed
from .s03_rms_norm import rms_norm
from .s04_rope import frequencies, rotary_tables
from .s05_attention import grouped_query_attention
from .s06_swiglu import swiglu


def layer_weights(weights, layer):
    return {
        ".".join(name.split(".")[3:]): w
        for name, w in weights.items()
        if name.split(".")[1] == "layers" and int(name.split(".")[2]) == layer
    }


def decoder_layer(x, layer, cos, sin, config, cache=None):
    eps, H, K = config.rms_norm_eps, config.num_attention_heads, config.num_key_value_heads
    x1 = x + grouped_query_attention(
        rms_norm(x, layer["input_layernorm.weight"], eps), layer, cos, sin, H, K, cache
    )
    x2 = x1 + swiglu(
        rms_norm(x1, layer["post_attention_layernorm.weight"], eps),
        layer["mlp.gate_proj.weight"],
        layer["mlp.up_proj.weight"],
        layer["mlp.down_proj.weight"],
    )
    return x2


def decoder(token_ids, weights, config, caches=None):
    first = 0
    if caches is not None and len(caches[0]) > 0:
        first = len(caches[0]) + 1  # the next one
    cos, sin = rotary_tables(
        torch.arange(first, first + token_ids.shape[-1]),
        frequencies(config.head_dim, config.rope_theta),
    )
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    for i in range(config.num_hidden_layers):
        x = decoder_layer(
            x, layer_weights(weights, i), cos, sin, config, caches[i] if caches is not None else None
        )
    return x
