"""Stage 10: a cache with room to spare, and a result of full length that is cut at the end."""

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .s07_decoder import decoder
from .s08_lm_head import lm_head
from .s09_softmax import sample


class _Shelf:
    """A tensor that grows along its last axis but one."""

    def __init__(self):
        self.room = None
        self.used = 0

    def add(self, new):
        total = self.used + new.shape[-2]
        track = torch.is_grad_enabled() and (
            new.requires_grad or (self.room is not None and self.room.requires_grad)
        )
        if track:
            # what autograd remembers must not be written over: a new, exactly full tensor
            old = [] if self.room is None else [self.room[..., : self.used, :]]
            self.room = torch.cat([*old, new], dim=-2)
        else:
            if self.room is None or total > self.room.shape[-2]:
                shape = (*new.shape[:-2], max(8, 2 * total), new.shape[-1])
                bigger = new.new_empty(shape)
                if self.room is not None:
                    bigger[..., : self.used, :] = self.room[..., : self.used, :]
                self.room = bigger
            self.room[..., self.used : total, :] = new
        self.used = total
        return self.room[..., :total, :]


class KeyValueCache:
    def __init__(self) -> None:
        self._k, self._v = _Shelf(), _Shelf()

    def __len__(self) -> int:
        return self._k.used

    def update(
        self, k: Float[Tensor, "... K Q d"], v: Float[Tensor, "... K Q d"]
    ) -> tuple[Float[Tensor, "... K T d"], Float[Tensor, "... K T d"]]:
        return self._k.add(k), self._v.add(v)


def next_logits(
    token_ids: Int[Tensor, " Q"],
    weights: Mapping[str, Tensor],
    config: Any,
    caches: list[KeyValueCache],
) -> Float[Tensor, " V"]:
    stream = decoder(token_ids, weights, config, caches)
    for name in ("lm_head.weight", "model.embed_tokens.weight"):
        if name in weights:
            break
    return lm_head(stream, weights["model.norm.weight"], weights[name], config.rms_norm_eps)[-1]


def generate(
    prompt_ids: Int[Tensor, " T"],
    weights: Mapping[str, Tensor],
    config: Any,
    max_new_tokens: int,
    min_new_tokens: int = 0,
    eos_ids: Collection[int] = (),
    choose: Callable[[Float[Tensor, " V"]], Tensor] | None = None,
) -> Int[Tensor, " T+N"]:
    given = len(prompt_ids)
    ids = torch.full((given + max_new_tokens,), -1, dtype=torch.int64)
    ids[:given] = prompt_ids
    caches = [KeyValueCache() for _ in range(config.num_hidden_layers)]
    seen, length = 0, given
    with torch.no_grad():
        while length < len(ids):
            logits = next_logits(ids[seen:length], weights, config, caches)
            seen = length
            if length - given < min_new_tokens:
                vocabulary = torch.arange(len(logits))
                ends = torch.tensor(sorted(eos_ids), dtype=torch.int64)
                logits = torch.where(torch.isin(vocabulary, ends), -math.inf, logits)
            ids[length] = sample(logits, temperature=0) if choose is None else int(choose(logits))
            length += 1
            if ids[length - 1].item() in eos_ids:
                break
    return ids[:length].clone()
