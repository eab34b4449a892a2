import torch
from torch import Tensor

from .s02_embed import embed
from .s03_rms_norm import rms_norm
from .s04_rope import frequencies, rotary_tables
from .s05_attention import grouped_query_attention
from .s06_swiglu import swiglu


def layer_weights(weights, layer):
    start = "model.layers." + str(layer) + "."
    result = {}
    for name in weights:
        if name.startswith(start):
            result[name[len(start):]] = weights[name]
    return result


def decoder_layer(x: Tensor, layer, cos, sin, config, cache=None) -> Tensor:
    eps = config.rms_norm_eps
    attn_out = grouped_query_attention(
        rms_norm(x, layer["input_layernorm.weight"], eps),
        layer,
        cos,
        sin,
        n_heads=config.num_attention_heads,
        n_kv_heads=config.num_key_value_heads,
        cache=cache,
    )
    mlp_out = swiglu(
        rms_norm(x, layer["post_attention_layernorm.weight"], eps),
        layer["mlp.gate_proj.weight"],
        layer["mlp.up_proj.weight"],
        layer["mlp.down_proj.weight"],
    )
    return x + attn_out + mlp_out


def decoder(token_ids, weights, config, caches=None):
    seen = len(caches[0]) if caches is not None else 0
    n = token_ids.shape[-1]
    cos, sin = rotary_tables(
        torch.arange(n) + seen, frequencies(config.head_dim, config.rope_theta)
    )
    h = embed(token_ids, weights["model.embed_tokens.weight"])
    for i in range(config.num_hidden_layers):
        h = decoder_layer(
            h, layer_weights(weights, i), cos, sin, config, caches[i] if caches is not None else None
        )
    return h
