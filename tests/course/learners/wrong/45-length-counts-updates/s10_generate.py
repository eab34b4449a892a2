"""Etapa 10: un token cada vez, con memoria."""

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .s07_decoder import decoder
from .s08_lm_head import lm_head
from .s09_softmax import sample


class KeyValueCache:
    def __init__(self) -> None:
        self.claves: list[Tensor] = []
        self.valores: list[Tensor] = []

    def __len__(self) -> int:
        return len(self.claves)

    def update(
        self, k: Float[Tensor, "... K Q d"], v: Float[Tensor, "... K Q d"]
    ) -> tuple[Float[Tensor, "... K T d"], Float[Tensor, "... K T d"]]:
        self.claves.append(k)
        self.valores.append(v)
        return torch.cat(self.claves, dim=-2), torch.cat(self.valores, dim=-2)


def next_logits(
    token_ids: Int[Tensor, " Q"],
    weights: Mapping[str, Tensor],
    config: Any,
    caches: list[KeyValueCache],
) -> Float[Tensor, " V"]:
    corriente = decoder(token_ids, weights, config, caches)
    ultima = corriente[-1]
    try:
        filas = weights["lm_head.weight"]
    except KeyError:
        filas = weights["model.embed_tokens.weight"]
    return lm_head(ultima, weights["model.norm.weight"], filas, config.rms_norm_eps)


def _prohibir(logits, finales):
    indices = torch.tensor(sorted(finales), dtype=torch.long)
    return logits.index_fill(0, indices, -math.inf)


def generate(
    prompt_ids: Int[Tensor, " T"],
    weights: Mapping[str, Tensor],
    config: Any,
    max_new_tokens: int,
    min_new_tokens: int = 0,
    eos_ids: Collection[int] = (),
    choose: Callable[[Float[Tensor, " V"]], Tensor] | None = None,
) -> Int[Tensor, " T+N"]:
    memorias = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    finales = set(eos_ids)
    texto = prompt_ids.clone()
    sin_ver = texto
    for paso in range(max_new_tokens):
        logits = next_logits(sin_ver, weights, config, memorias)
        if paso < min_new_tokens:
            logits = _prohibir(logits, finales)
        elegido = sample(logits, temperature=0) if choose is None else choose(logits)
        sin_ver = torch.as_tensor(elegido, dtype=torch.int64).reshape(1)
        texto = torch.cat((texto, sin_ver))
        if sin_ver.item() in finales:
            break
    return texto
