"""Right ways to write stage 7 that look different."""
# ruff: noqa: F821

import torch
from torch.nn import functional as F

from token_journey.course.misconceptions import rewrite


@rewrite("layer_weights", "by cutting the names at their dots")
def by_splitting(weights, layer):
    found = {}
    for name, weight in weights.items():
        parts = name.split(".")
        if parts[:2] == ["model", "layers"] and int(parts[2]) == layer:
            found[".".join(parts[3:])] = weight
    return found


@rewrite("layer_weights", "by a regular expression")
def by_regular_expression(weights, layer):
    import re

    matches = ((re.fullmatch(rf"model\.layers\.{layer}\.(.+)", name), name) for name in weights)
    return {match[1]: weights[name] for match, name in matches if match}


@rewrite("decoder_layer", "with a name for every step")
def step_by_step(x, layer, cos, sin, config, cache=None):
    eps = config.rms_norm_eps
    ln1_out = rms_norm(x, layer["input_layernorm.weight"], eps)
    attn_out = grouped_query_attention(
        ln1_out,
        layer,
        cos,
        sin,
        n_heads=config.num_attention_heads,
        n_kv_heads=config.num_key_value_heads,
        cache=cache,
    )
    resid_mid = torch.add(attn_out, x)
    ln2_out = rms_norm(resid_mid, layer["post_attention_layernorm.weight"], eps)
    w = {name: layer[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down")}
    mlp_out = swiglu(ln2_out, w_gate=w["gate"], w_up=w["up"], w_down=w["down"])
    return torch.stack([resid_mid, mlp_out]).sum(dim=0)


@rewrite("decoder_layer", "by torch's own functions, without the earlier stages")
def by_torch(x, layer, cos, sin, config, cache=None):
    def turn(heads):
        first, second = heads.chunk(2, dim=-1)
        return (heads * cos + torch.cat([-second, first], dim=-1) * sin).to(x.dtype)

    def split(heads, count):
        return heads.unflatten(-1, (count, -1)).transpose(-2, -3)

    eps = config.rms_norm_eps
    y = F.rms_norm(x, x.shape[-1:], layer["input_layernorm.weight"], eps)
    q = split(F.linear(y, layer["self_attn.q_proj.weight"]), config.num_attention_heads)
    k = split(F.linear(y, layer["self_attn.k_proj.weight"]), config.num_key_value_heads)
    v = split(F.linear(y, layer["self_attn.v_proj.weight"]), config.num_key_value_heads)
    q, k = turn(q), turn(k)
    if cache is not None:
        k, v = cache.update(k, v)
    seen = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool).tril(k.shape[-2] - q.shape[-2])
    groups = config.num_attention_heads // config.num_key_value_heads
    k, v = k.repeat_interleave(groups, dim=-3), v.repeat_interleave(groups, dim=-3)
    z = F.scaled_dot_product_attention(q, k, v, attn_mask=seen).transpose(-2, -3).flatten(-2)
    x = x + F.linear(z, layer["self_attn.o_proj.weight"])
    y = F.rms_norm(x, x.shape[-1:], layer["post_attention_layernorm.weight"], eps)
    gate = F.silu(F.linear(y, layer["mlp.gate_proj.weight"]))
    return x + F.linear(
        gate * F.linear(y, layer["mlp.up_proj.weight"]), layer["mlp.down_proj.weight"]
    )


@rewrite("decoder", "with positions by a running sum")
def by_running_sum(token_ids, weights, config, caches=None):
    caches = caches or [None] * config.num_hidden_layers
    before = 0 if caches[0] is None else len(caches[0])
    positions = torch.ones(token_ids.shape[-1]).cumsum(0) - 1 + before
    cos, sin = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    for i, cache in enumerate(caches):
        x = decoder_layer(x, layer_weights(weights, i), cos, sin, config, cache=cache)
    return x


@rewrite("decoder", "from a table of all angles so far")
def from_a_longer_table(token_ids, weights, config, caches=None):
    before = len(caches[0]) if caches else 0
    end = before + token_ids.shape[-1]
    cos, sin = rotary_tables(torch.arange(end), frequencies(config.head_dim, config.rope_theta))
    x = weights["model.embed_tokens.weight"][token_ids]
    for i in range(config.num_hidden_layers):
        inside = layer_weights(weights, i)
        cache = caches[i] if caches is not None else None
        x = decoder_layer(x, inside, cos[before:end], sin[before:end], config, cache)
    return x


@rewrite("decoder", "layer by layer, recursively")
def recursively(token_ids, weights, config, caches=None):
    start = len(caches[0]) if caches else 0
    positions = torch.tensor([start + t for t in range(token_ids.size(-1))])
    cos, sin = rotary_tables(positions, frequencies(config.head_dim, config.rope_theta))

    def stream_after(layers):
        if layers == 0:
            return embed(token_ids, weights["model.embed_tokens.weight"])
        before, last = stream_after(layers - 1), layers - 1
        cache = caches[last] if caches else None
        return decoder_layer(before, layer_weights(weights, last), cos, sin, config, cache)

    return stream_after(config.num_hidden_layers)
