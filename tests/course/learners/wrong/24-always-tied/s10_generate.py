"""Etapa 10: generar, un token cada vegada."""

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
        self.memoria = None  # (claus, valors)

    def __len__(self) -> int:
        if self.memoria is None:
            return 0
        return self.memoria[0].size(-2)

    def update(
        self, k: Float[Tensor, "... K Q d"], v: Float[Tensor, "... K Q d"]
    ) -> tuple[Float[Tensor, "... K T d"], Float[Tensor, "... K T d"]]:
        if self.memoria is not None:
            claus, valors = self.memoria
            k = torch.cat([claus, k], dim=-2)
            v = torch.cat([valors, v], dim=-2)
        self.memoria = (k, v)
        return self.memoria


def next_logits(
    token_ids: Int[Tensor, " Q"],
    weights: Mapping[str, Tensor],
    config: Any,
    caches: list[KeyValueCache],
) -> Float[Tensor, " V"]:
    corrent = decoder(token_ids, weights, config, caches)
    ultim = corrent[-1, :]
    # la mateixa taula per a entrar i per a eixir
    taula = weights["model.embed_tokens.weight"]
    return lm_head(ultim, weights["model.norm.weight"], taula, config.rms_norm_eps)


def generate(
    prompt_ids: Int[Tensor, " T"],
    weights: Mapping[str, Tensor],
    config: Any,
    max_new_tokens: int,
    min_new_tokens: int = 0,
    eos_ids: Collection[int] = (),
    choose: Callable[[Float[Tensor, " V"]], Tensor] | None = None,
) -> Int[Tensor, " T+N"]:
    finals = set(eos_ids)
    memories = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    tots = [prompt_ids]
    pendents = prompt_ids

    for escrits in range(max_new_tokens):
        logits = next_logits(pendents, weights, config, memories)
        if escrits < min_new_tokens and finals:
            prohibits = torch.tensor(sorted(finals), device=logits.device)
            logits = logits.index_fill(0, prohibits, -math.inf)

        tria = logits.argmax() if choose is None else choose(logits)
        pendents = torch.as_tensor(tria, device=prompt_ids.device).reshape(1).to(torch.int64)
        tots.append(pendents)
        if pendents.item() in finals:
            break

    return torch.cat(tots)
