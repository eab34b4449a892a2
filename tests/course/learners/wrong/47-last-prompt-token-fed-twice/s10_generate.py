"""Etapa 10: generar amb memoria."""

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .s07_decoder import decoder
from .s08_lm_head import lm_head


class KeyValueCache:
    def __init__(self) -> None:
        self.ks: list[Tensor] = []
        self.vs: list[Tensor] = []

    def __len__(self) -> int:
        return sum(t.shape[-2] for t in self.ks)

    def update(
        self, k: Float[Tensor, "... K Q d"], v: Float[Tensor, "... K Q d"]
    ) -> tuple[Float[Tensor, "... K T d"], Float[Tensor, "... K T d"]]:
        self.ks.append(k)
        self.vs.append(v)
        return torch.cat(self.ks, -2), torch.cat(self.vs, -2)


def next_logits(
    token_ids: Int[Tensor, " Q"],
    weights: Mapping[str, Tensor],
    config: Any,
    caches: list[KeyValueCache],
) -> Float[Tensor, " V"]:
    corrent = decoder(token_ids, weights, config, caches)
    files = weights.get("lm_head.weight")
    if files is None:
        files = weights["model.embed_tokens.weight"]
    return lm_head(corrent[-1], weights["model.norm.weight"], files, config.rms_norm_eps)


def generate(
    prompt_ids: Int[Tensor, " T"],
    weights: Mapping[str, Tensor],
    config: Any,
    max_new_tokens: int,
    min_new_tokens: int = 0,
    eos_ids: Collection[int] = (),
    choose: Callable[[Float[Tensor, " V"]], Tensor] | None = None,
) -> Int[Tensor, " T+N"]:
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    ids = prompt_ids.tolist()
    # 1. omplim les memories amb tot el prompt
    if max_new_tokens > 0:
        decoder(prompt_ids, weights, config, caches)
    # 2. un token cada vegada
    for fets in range(max_new_tokens):
        logits = next_logits(torch.tensor(ids[-1:]), weights, config, caches)
        if fets < min_new_tokens:
            prohibits = torch.zeros_like(logits)
            for e in eos_ids:
                prohibits[e] = -math.inf
            logits = logits + prohibits
        triat = logits.argmax() if choose is None else choose(logits)
        ids.append(int(triat))
        if ids[-1] in eos_ids:
            break
    return torch.tensor(ids, dtype=torch.int64)
