"""Etapa 10: un generador de Python que va donant tokens; la memoria, una lista de tokens."""

from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import islice
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .s07_decoder import decoder
from .s08_lm_head import lm_head


class KeyValueCache:
    def __init__(self) -> None:
        self._tokens: list[tuple[Tensor, Tensor]] = []

    def __len__(self) -> int:
        return len(self._tokens)

    def update(
        self, k: Float[Tensor, "... K Q d"], v: Float[Tensor, "... K Q d"]
    ) -> tuple[Float[Tensor, "... K T d"], Float[Tensor, "... K T d"]]:
        self._tokens.extend(zip(k.clone().unbind(-2), v.clone().unbind(-2)))
        claves, valores = (torch.stack(uno, dim=-2) for uno in zip(*self._tokens))
        return claves, valores


def next_logits(
    token_ids: Int[Tensor, " Q"],
    weights: Mapping[str, Tensor],
    config: Any,
    caches: list[KeyValueCache],
) -> Float[Tensor, " V"]:
    final = decoder(token_ids, weights, config, caches)[-1]
    cabeza = weights.get("lm_head.weight")
    if cabeza is None:
        cabeza = weights["model.embed_tokens.weight"]
    return lm_head(final, weights["model.norm.weight"], cabeza, config.rms_norm_eps)


def _escribe(prompt_ids, weights, config, minimo, finales, choose) -> Iterator[int]:
    memorias = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    sin_ver, escritos, token = prompt_ids, 0, None
    while token not in finales:
        logits = next_logits(sin_ver, weights, config, memorias)
        if escritos < minimo:
            fila = list(logits.unbind())
            for fin in finales:
                fila[fin] = logits.new_tensor(float("-inf"))
            logits = torch.stack(fila)
        token = int(choose(logits))
        yield token
        escritos += 1
        sin_ver = prompt_ids.new_tensor([token])


def generate(
    prompt_ids: Int[Tensor, " T"],
    weights: Mapping[str, Tensor],
    config: Any,
    max_new_tokens: int,
    min_new_tokens: int = 0,
    eos_ids: Collection[int] = (),
    choose: Callable[[Float[Tensor, " V"]], Tensor] | None = None,
) -> Int[Tensor, " T+N"]:
    chorro = _escribe(
        prompt_ids, weights, config, min_new_tokens, frozenset(eos_ids), choose or torch.argmax
    )
    nuevos = prompt_ids.new_tensor(list(islice(chorro, max_new_tokens)))
    return torch.cat([prompt_ids, nuevos])
