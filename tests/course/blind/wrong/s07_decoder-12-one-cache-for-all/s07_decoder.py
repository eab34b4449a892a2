import torch
from torch import Tensor

from .s02_embed import embed
from .s03_rms_norm import rms_norm
from .s04_rope import frequencies, rotary_tables
from .s05_attention import grouped_query_attention
from .s06_swiglu import swiglu


def layer_weights(weights, layer):
    prefix = f"model.layers.{layer}."
    return {k[len(prefix):]: w for k, w in weights.items() if k.startswith(prefix)}


def decoder_layer(x: Tensor, layer, cos, sin, config, cache=None):
    w = layer
    x = x + grouped_query_attention(
        rms_norm(x, w["input_layernorm.weight"], config.rms_norm_eps),
        w, cos, sin, config.num_attention_heads, config.num_key_value_heads, cache,
    )
    return x + swiglu(
        rms_norm(x, w["post_attention_layernorm.weight"], config.rms_norm_eps),
        w["mlp.gate_proj.weight"], w["mlp.up_proj.weight"], w["mlp.down_proj.weight"],
    )


def decoder(token_ids, weights, config, caches=None):
    cache, start = None, 0
    if caches is not None:
        cache = caches[0]
        start = len(cache)
    pos = torch.arange(start, start + token_ids.shape[-1])
    cos, sin = rotary_tables(pos, frequencies(config.head_dim, config.rope_theta))
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    for i in range(config.num_hidden_layers):
        x = decoder_layer(x, layer_weights(weights, i), cos, sin, config, cache)
    return x
