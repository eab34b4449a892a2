import torch
from torch import Tensor

from .s02_embed import embed
from .s03_rms_norm import rms_norm
from .s04_rope import frequencies, rotary_tables
from .s05_attention import grouped_query_attention
from .s06_swiglu import swiglu


def layer_weights(weights, layer: int):
    """Only the layer's own."""
    prefix = f"model.layers.{layer}."
    return {name.replace(prefix, "", 1): w for name, w in weights.items() if name.startswith(prefix)}


def decoder_layer(x: Tensor, layer, cos: Tensor, sin: Tensor, config, cache=None) -> Tensor:
    normed = rms_norm(x, layer["input_layernorm.weight"], config.rms_norm_eps)
    heads = (config.num_attention_heads, config.num_key_value_heads)
    x = x + grouped_query_attention(normed, layer, cos, sin, *heads, cache=cache)
    x = x + swiglu(
        normed,
        layer["mlp.gate_proj.weight"],
        layer["mlp.up_proj.weight"],
        layer["mlp.down_proj.weight"],
    )
    return x


def decoder(token_ids, weights, config, caches=None):
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    start = len(caches[0]) if caches is not None else 0
    freqs = frequencies(config.head_dim, config.rope_theta)
    cos, sin = rotary_tables(torch.arange(start, start + x.shape[-2]), freqs)
    for n in range(config.num_hidden_layers):
        own_cache = caches[n] if caches is not None else None
        x = decoder_layer(x, layer_weights(weights, n), cos, sin, config, own_cache)
    return x
