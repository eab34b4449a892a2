"""Stage 10: generate with a cache."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .s07_decoder import decoder
from .s08_lm_head import lm_head


class KeyValueCache:
    keys: list[Tensor] = []
    values: list[Tensor] = []

    def __init__(self) -> None:
        pass

    def __len__(self) -> int:
        return sum(k.shape[-2] for k in self.keys)

    def update(
        self, k: Float[Tensor, "... K Q d"], v: Float[Tensor, "... K Q d"]
    ) -> tuple[Float[Tensor, "... K T d"], Float[Tensor, "... K T d"]]:
        self.keys.append(k)
        self.values.append(v)
        return torch.cat(self.keys, dim=-2), torch.cat(self.values, dim=-2)


def next_logits(
    token_ids: Int[Tensor, " Q"],
    weights: Mapping[str, Tensor],
    config: Any,
    caches: list[KeyValueCache],
) -> Float[Tensor, " V"]:
    hidden = decoder(token_ids, weights, config, caches)
    head = weights.get("lm_head.weight", weights["model.embed_tokens.weight"])
    return lm_head(hidden[-1], weights["model.norm.weight"], head, config.rms_norm_eps)


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
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    new: list[int] = []
    feed = prompt_ids
    while len(new) < max_new_tokens:
        logits = next_logits(feed, weights, config, caches)
        if len(new) < min_new_tokens:
            logits = logits.clone()
            for e in eos_ids:
                logits[e] = -torch.inf
        tok = int(choose(logits))
        new.append(tok)
        if tok in eos_ids:
            break
        feed = torch.tensor([tok])
    return torch.cat((prompt_ids, torch.tensor(new, dtype=torch.int64)))
