"""Etapa 7: el decodificador."""

from functools import reduce

import torch

from .s02_embed import embed
from .s03_rms_norm import rms_norm
from .s04_rope import frequencies, rotary_tables
from .s05_attention import grouped_query_attention
from .s06_swiglu import swiglu


def layer_weights(weights, layer):
    prefijo = ["model", "layers", str(layer)]
    trozos = {nombre: nombre.split(".") for nombre in weights}
    return {".".join(t[3:]): weights[n] for n, t in trozos.items() if t[:3] == prefijo}


def decoder_layer(x, layer, cos, sin, config, cache=None):
    """La corriente sólo recibe sumas."""
    copia = rms_norm(x, layer["input_layernorm.weight"], config.rms_norm_eps)
    atencion = grouped_query_attention(
        copia, layer, cos, sin, config.num_attention_heads, config.num_key_value_heads, cache
    )
    corriente = x + atencion
    copia = rms_norm(corriente, layer["post_attention_layernorm.weight"], config.rms_norm_eps)
    perceptron = swiglu(
        copia,
        layer["mlp.gate_proj.weight"],
        layer["mlp.up_proj.weight"],
        layer["mlp.down_proj.weight"],
    )
    return corriente + perceptron


def decoder(token_ids, weights, config, caches=None):
    anteriores = len(caches[0]) if caches is not None else 0
    cuantos = token_ids.shape[-1]
    posiciones = torch.ones(cuantos, dtype=torch.int64).cumsum(0) - 1 + anteriores
    cos, sin = rotary_tables(posiciones, frequencies(config.head_dim, config.rope_theta))

    def paso(corriente, n):
        memoria = None if caches is None else caches[n]
        return decoder_layer(corriente, layer_weights(weights, n), cos, sin, config, memoria)

    tabla = weights["model.embed_tokens.weight"]
    return reduce(paso, range(config.num_hidden_layers), embed(token_ids, tabla))
