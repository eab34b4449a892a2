"""Stage 10: first read the prompt, then write."""

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
    """Keeps pieces in two lists and joins them when somebody asks."""

    def __init__(self) -> None:
        self._keys = []
        self._values = []

    def __len__(self) -> int:
        return sum(piece.shape[-2] for piece in self._keys)

    def update(
        self, k: Float[Tensor, "... K Q d"], v: Float[Tensor, "... K Q d"]
    ) -> tuple[Float[Tensor, "... K T d"], Float[Tensor, "... K T d"]]:
        self._keys.append(k)
        self._values.append(v)
        return torch.cat(self._keys, dim=-2), torch.cat(self._values, dim=-2)


def next_logits(
    token_ids: Int[Tensor, " Q"],
    weights: Mapping[str, Tensor],
    config: Any,
    caches: list[KeyValueCache],
) -> Float[Tensor, " V"]:
    x = decoder(token_ids, weights, config, caches)[-1]
    table = weights.get("lm_head.weight")
    if table is None:  # tied
        table = weights["model.embed_tokens.weight"]
    return lm_head(x, weights["model.norm.weight"], table, config.rms_norm_eps)


def fill_caches(prompt_ids, weights, config):
    caches = []
    for _ in range(config.num_hidden_layers):
        caches.append(KeyValueCache())
    decoder(prompt_ids, weights, config, caches)
    return caches


def without(logits, end_tokens):
    logits = logits.clone()
    for end_token in end_tokens:
        logits[end_token] = -math.inf
    return logits


def generate(
    prompt_ids: Int[Tensor, " T"],
    weights: Mapping[str, Tensor],
    config: Any,
    max_new_tokens: int,
    min_new_tokens: int = 0,
    eos_ids: Collection[int] = (),
    choose: Callable[[Float[Tensor, " V"]], Tensor] | None = None,
) -> Int[Tensor, " T+N"]:
    if choose is None:
        choose = torch.argmax

    text = prompt_ids.tolist()
    written = 0
    if max_new_tokens > 0:
        caches = fill_caches(prompt_ids, weights, config)

    while written < max_new_tokens:
        # the caches know the rest, so the newest token is enough
        newest = torch.tensor(text[-1:], dtype=torch.int64, device=prompt_ids.device)
        logits = next_logits(newest, weights, config, caches)
        if written < min_new_tokens:
            logits = without(logits, eos_ids)
        token = int(choose(logits))
        text.append(token)
        written += 1
        if token in eos_ids:
            break

    return torch.tensor(text, dtype=torch.int64, device=prompt_ids.device)
