"""Stage 10: generate."""

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
        self.k = None
        self.v = None

    def __len__(self) -> int:
        return 0 if self.k is None else self.k.shape[-2]

    def update(
        self, k: Float[Tensor, "... K Q d"], v: Float[Tensor, "... K Q d"]
    ) -> tuple[Float[Tensor, "... K T d"], Float[Tensor, "... K T d"]]:
        if self.k is None:
            self.k, self.v = k, v
        else:
            self.k = torch.cat((self.k, k), dim=-2)
            self.v = torch.cat((self.v, v), dim=-2)
        return self.k, self.v


def next_logits(
    token_ids: Int[Tensor, " Q"],
    weights: Mapping[str, Tensor],
    config: Any,
    caches: list[KeyValueCache],
) -> Float[Tensor, " V"]:
    stream = decoder(token_ids, weights, config, caches)
    if "lm_head.weight" in weights:
        w_vocab = weights["lm_head.weight"]
    else:
        w_vocab = weights["model.embed_tokens.weight"]
    return lm_head(stream[-1], weights["model.norm.weight"], w_vocab, config.rms_norm_eps)


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
    end_tokens = list(eos_ids)
    ids = prompt_ids.clone()
    unseen = prompt_ids
    for _ in range(max_new_tokens):
        logits = next_logits(unseen, weights, config, caches)
        if end_tokens and len(ids) < min_new_tokens:
            logits = logits.clone()
            logits[end_tokens] = -math.inf
        token = sample(logits, temperature=0) if choose is None else choose(logits)
        token = int(token)
        unseen = torch.tensor([token], dtype=ids.dtype, device=ids.device)
        ids = torch.cat((ids, unseen))
        if token in end_tokens:
            break
    return ids
