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
    """add & norm, add & norm"""

    def norm(y, which):
        return rms_norm(y, layer[which + "_layernorm.weight"], config.rms_norm_eps)

    attended = grouped_query_attention(
        x, layer, cos, sin, config.num_attention_heads, config.num_key_value_heads, cache
    )
    x = norm(x + attended, "input")
    fed = swiglu(
        x, layer["mlp.gate_proj.weight"], layer["mlp.up_proj.weight"], layer["mlp.down_proj.weight"]
    )
    return norm(x + fed, "post_attention")


def decoder(token_ids, weights, config, caches=None):
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    n_past = 0 if caches is None else len(caches[0])
    cos, sin = rotary_tables(
        torch.arange(n_past, n_past + token_ids.shape[-1]),
        frequencies(config.head_dim, config.rope_theta),
    )
    for i in range(config.num_hidden_layers):
        x = decoder_layer(
            x, layer_weights(weights, i), cos, sin, config, None if caches is None else caches[i]
        )
    return x
