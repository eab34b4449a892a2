import torch

from .s02_embed import embed
from .s03_rms_norm import rms_norm
from .s04_rope import frequencies, rotary_tables
from .s05_attention import grouped_query_attention
from .s06_swiglu import swiglu


def layer_weights(weights, layer):
    def mine():
        for name, tensor in weights.items():
            before, found, rest = name.partition(f"model.layers.{layer}.")
            if found and not before:
                yield rest, tensor

    return dict(mine())


def decoder_layer(x, layer, cos, sin, config, cache=None):
    def attention(y):
        return grouped_query_attention(
            y, layer, cos, sin, config.num_attention_heads, config.num_key_value_heads, cache
        )

    def mlp(y):
        return swiglu(y, *(layer[f"mlp.{w}_proj.weight"] for w in ("gate", "up", "down")))

    def plus(y, branch, gain):
        return y + branch(rms_norm(y, layer[gain], config.rms_norm_eps))

    return plus(
        plus(x, attention, "input_layernorm.weight"), mlp, "post_attention_layernorm.weight"
    )


def decoder(token_ids, weights, config, caches=None):
    before = 0 if caches is None else len(caches[0])
    tables = rotary_tables(
        torch.arange(before, before + token_ids.shape[-1]),
        frequencies(config.head_dim, config.rope_theta),
    )

    def after(n):
        if n == 0:
            return embed(token_ids, weights["model.embed_tokens.weight"])
        cache = None if caches is None else caches[n - 1]
        return decoder_layer(after(n - 1), layer_weights(weights, n - 1), *tables, config, cache)

    return after(config.num_hidden_layers)
