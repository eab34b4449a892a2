import torch


def layer_weights(weights, layer):
    beginning = f"model.layers.{layer}."
    found = {}
    for name, tensor in weights.items():
        if name.startswith(beginning):
            found[name[len(beginning) :]] = tensor
    return found


def decoder_layer(x, layer, cos, sin, config, cache=None):
    copy = rms_norm(x, layer["input_layernorm.weight"], config.rms_norm_eps)
    x = x + grouped_query_attention(
        copy, layer, cos, sin, config.num_attention_heads, config.num_key_value_heads, cache
    )
    copy = rms_norm(x, layer["post_attention_layernorm.weight"], config.rms_norm_eps)
    gate, up = layer["mlp.gate_proj.weight"], layer["mlp.up_proj.weight"]
    return x + swiglu(copy, gate, up, layer["mlp.down_proj.weight"])


def decoder(token_ids, weights, config, caches=None):
    start = 0 if caches is None else len(caches[0])
    positions = start + torch.arange(token_ids.shape[-1])
    cos, sin = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    for number in range(config.num_hidden_layers):
        cache = None if caches is None else caches[number]
        x = decoder_layer(x, layer_weights(weights, number), cos, sin, config, cache)
    return x
