import torch

from .s02_embed import embed
from .s03_rms_norm import rms_norm
from .s04_rope import frequencies, rotary_tables
from .s05_attention import grouped_query_attention
from .s06_swiglu import swiglu


class Layer:
    def __init__(self, weights, config):
        self.weights, self.config = weights, config

    def normed(self, x, name):
        return rms_norm(x, self.weights[name + "_layernorm.weight"], self.config.rms_norm_eps)

    def attention(self, x, cos, sin, cache):
        c = self.config
        return grouped_query_attention(
            self.normed(x, "input"),
            self.weights,
            cos,
            sin,
            n_heads=c.num_attention_heads,
            n_kv_heads=c.num_key_value_heads,
            cache=cache,
        )

    def mlp(self, x):
        w = self.weights
        return swiglu(
            self.normed(x, "post_attention"),
            w["mlp.gate_proj.weight"],
            w["mlp.up_proj.weight"],
            w["mlp.down_proj.weight"],
        )

    def __call__(self, x, cos, sin, cache):
        after = x + self.attention(x, cos, sin, cache)
        return torch.stack([after, self.mlp(after)]).sum(dim=0).to(x.dtype)


def layer_weights(weights, layer):
    prefix = f"model.layers.{layer}."
    return dict((k[len(prefix):], v) for k, v in weights.items() if k.startswith(prefix))


def decoder_layer(x, layer, cos, sin, config, cache=None):
    return Layer(layer, config)(x, cos, sin, cache)


def decoder(token_ids, weights, config, caches=None):
    start = 0 if caches is None else len(caches[0])
    where = torch.arange(start, start + token_ids.shape[-1], device=token_ids.device)
    cos, sin = rotary_tables(where, frequencies(config.head_dim, config.rope_theta))
    x = embed(token_ids, weights["model.embed_tokens.weight"])
    for n in range(config.num_hidden_layers):
        x = Layer(layer_weights(weights, n), config)(
            x, cos, sin, caches[n] if caches is not None else None
        )
    return x
