import torch

from .s02_embed import embed
from .s03_rms_norm import rms_norm
from .s04_rope import frequencies, rotary_tables
from .s05_attention import grouped_query_attention
from .s06_swiglu import swiglu


def layer_weights(weights, layer):
    wanted = [name for name in weights if name.startswith(f"model.layers.{layer}.")]
    return {name.split(f".{layer}.", 1)[1]: weights[name] for name in wanted}


def decoder_layer(x, layer, cos, sin, config, cache=None):
    if cache is None and x.dim() > 2 and x.shape[0] > 0:
        return torch.stack([decoder_layer(text, layer, cos, sin, config) for text in x])
    normed = rms_norm(x, layer["input_layernorm.weight"], config.rms_norm_eps)
    stream = x + grouped_query_attention(
        normed, layer, cos, sin, config.num_attention_heads, config.num_key_value_heads, cache
    )
    normed = rms_norm(stream, layer["post_attention_layernorm.weight"], config.rms_norm_eps)
    return stream + swiglu(
        normed,
        w_gate=layer["mlp.gate_proj.weight"],
        w_up=layer["mlp.up_proj.weight"],
        w_down=layer["mlp.down_proj.weight"],
    )


def decoder(token_ids, weights, config, caches=None):
    positions = torch.tensor(list(range(token_ids.shape[-1])), dtype=torch.long)
    if caches is not None:
        positions = positions + len(caches[0])
    cos, sin = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    layers = [layer_weights(weights, i) for i in range(config.num_hidden_layers)]
    for i, layer in enumerate(layers):
        x = decoder_layer(x, layer, cos, sin, config, None if caches is None else caches[i])
    return x
