"""Etapa 7: una classe per capa, els pesos repartits d'una passada, el corrent com a llista."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .s02_embed import embed
from .s03_rms_norm import rms_norm
from .s04_rope import frequencies, rotary_tables
from .s05_attention import grouped_query_attention
from .s06_swiglu import swiglu


def _reparteix(weights):
    capes = defaultdict(dict)
    for nom in weights:
        trossos = nom.split(".", 3)
        if len(trossos) == 4 and trossos[0] == "model" and trossos[1] == "layers":
            capes[trossos[2]][trossos[3]] = weights[nom]
    return capes


def layer_weights(weights: Mapping[str, Tensor], layer: int) -> dict[str, Tensor]:
    return _reparteix(weights)[str(layer)]


class _Capa:
    def __init__(self, pesos, config, cache=None):
        self.pesos, self.config, self.cache = pesos, config, cache

    def norma(self, corrent, quina):
        return rms_norm(corrent, self.pesos[quina + "_layernorm.weight"], self.config.rms_norm_eps)

    def atencio(self, llegit, cos, sin):
        return grouped_query_attention(
            x=llegit,
            weights=self.pesos,
            cos=cos,
            sin=sin,
            n_heads=self.config.num_attention_heads,
            n_kv_heads=self.config.num_key_value_heads,
            cache=self.cache,
        )

    def mlp(self, llegit):
        p = self.pesos
        return swiglu(
            x=llegit,
            w_down=p["mlp.down_proj.weight"],
            w_up=p["mlp.up_proj.weight"],
            w_gate=p["mlp.gate_proj.weight"],
        )

    def __call__(self, x, cos, sin):
        corrent = x.clone()  # una còpia pròpia: ací sí que es pot sumar damunt
        corrent += self.atencio(self.norma(x, "input"), cos, sin)
        return corrent + self.mlp(self.norma(corrent, "post_attention"))


def decoder_layer(
    x: Float[Tensor, "... T D"],
    layer: Mapping[str, Tensor],
    cos: Float[Tensor, "T d"],
    sin: Float[Tensor, "T d"],
    config: Any,
    cache: Any = None,
) -> Float[Tensor, "... T D"]:
    return _Capa(layer, config, cache)(x, cos, sin)


def decoder(
    token_ids: Int[Tensor, "... T"],
    weights: Mapping[str, Tensor],
    config: Any,
    caches: Sequence[Any] | None = None,
) -> Float[Tensor, "... T D"]:
    final = token_ids.shape[-1]
    if caches is not None:
        final += len(caches[0])
    # comptades des del final cap arrere, i després girades
    posicions = torch.arange(final - 1, final - 1 - token_ids.shape[-1], -1).flip(0)
    cos, sin = rotary_tables(posicions, frequencies(config.head_dim, config.rope_theta))
    per_capa = _reparteix(weights)
    corrents = [embed(token_ids, weights["model.embed_tokens.weight"])]
    for numero in range(config.num_hidden_layers):
        capa = _Capa(per_capa[str(numero)], config, caches[numero] if caches is not None else None)
        corrents.append(capa(corrents[-1], cos, sin))
    return corrents[-1]
