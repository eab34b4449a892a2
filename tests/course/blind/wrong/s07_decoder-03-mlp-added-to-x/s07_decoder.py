import torch

from .s02_embed import embed
from .s03_rms_norm import rms_norm
from .s04_rope import frequencies, rotary_tables
from .s05_attention import grouped_query_attention
from .s06_swiglu import swiglu


def layer_weights(weights, layer):
    p = f"model.layers.{layer}."
    return {n[len(p):]: w for n, w in weights.items() if n[: len(p)] == p}


def decoder_layer(x, layer, cos, sin, config, cache=None):
    residual = x
    # attention
    h = rms_norm(x, layer["input_layernorm.weight"], config.rms_norm_eps)
    h = grouped_query_attention(
        h, layer, cos, sin, config.num_attention_heads, config.num_key_value_heads, cache
    )
    h = residual + h
    # mlp
    h = rms_norm(h, layer["post_attention_layernorm.weight"], config.rms_norm_eps)
    h = swiglu(h, *[layer[f"mlp.{part}_proj.weight"] for part in ("gate", "up", "down")])
    return residual + h


def decoder(token_ids, weights, config, caches=None):
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    begin = 0
    if caches is not None:
        begin = len(caches[0])
    pos = torch.arange(begin, begin + x.shape[-2])
    cos, sin = rotary_tables(pos, frequencies(config.head_dim, config.rope_theta))
    for l in range(config.num_hidden_layers):
        x = decoder_layer(
            x, layer_weights(weights, l), cos, sin, config, caches[l] if caches is not None else None
        )
    return x
