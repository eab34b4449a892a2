"""How a sentence could go on, by transformers' `generate`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import (
    DynamicCache,
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from token_journey.journey.journey import Continuation
from token_journey.journey.sources.settings import Settings

BRANCHES = 8
GREEDY, NEW_TOKENS, SAMPLED = "greedy", 12, 3

Spell = Callable[[int], str]


def continue_all(
    model: Any, ids: Sequence[int], logits: Tensor, settings: Settings, spell: Spell
) -> tuple[list[Continuation], dict[int, tuple[str, ...]]]:
    """The greedy continuation and some sampled ones; and how each likely token is gone on after.

    logits: (V,), after the last token

    All are written at once: the weights are read once for all of them, and the sentence too.
    """
    best = logits.topk(min(BRANCHES, len(logits))).indices.tolist()
    warpers = _warpers(settings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        chances = warpers(torch.tensor([list(ids)]), logits[None].clone()).softmax(-1)
        drawn = chances.multinomial(SAMPLED, replacement=True)[0].tolist()
        written = _written(model, ids, [*best, *drawn], _SomeGreedy(len(best), warpers))
    after = [tuple(map(spell, each)) for each in written]
    branches = dict(zip(best, after[: len(best)], strict=True))
    sampled = [
        Continuation(f"{settings.said}, draw {n}", (spell(first), *rest), _ended(rest))
        for n, (first, rest) in enumerate(zip(drawn, after[len(best) :], strict=True), start=1)
    ]
    greedy = branches[best[0]]
    return [Continuation(GREEDY, (spell(best[0]), *greedy), _ended(greedy)), *sampled], branches


def _ended(rest: Sequence[str]) -> bool:
    """Whether the model ended, for fewer tokens came than were asked for."""
    return len(rest) < NEW_TOKENS


# Takes token ids (B, T) and logits (B, V), and gives logits.
Warpers = Callable[[Tensor, Tensor], Tensor]


def _warpers(settings: Settings) -> Warpers:
    """transformers' own, in its order."""
    warpers: list[Any] = [TemperatureLogitsWarper(settings.temperature)]
    if settings.top_k:
        warpers.append(TopKLogitsWarper(settings.top_k))
    all_of_them: Any = LogitsProcessorList([*warpers, TopPLogitsWarper(settings.top_p)])
    warped: Warpers = all_of_them
    return warped


class _SomeGreedy(LogitsProcessor):
    """Of a batch that is sampled, the first rows are left their best token alone."""

    def __init__(self, greedy: int, warpers: Warpers):
        self._greedy = greedy
        self._warpers = warpers

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        first, rest = scores[: self._greedy], scores[self._greedy :]
        best = first.argmax(-1, keepdim=True)
        alone = torch.full_like(first, -torch.inf).scatter(-1, best, 0.0)
        return torch.cat([alone, self._warpers(input_ids[self._greedy :], rest)])


@torch.no_grad()
def _written(
    model: Any, ids: Sequence[int], firsts: Sequence[int], choosing: LogitsProcessor
) -> list[list[int]]:
    """What comes after a text and each of some first tokens, up to the end token."""
    cache: Any = DynamicCache(config=model.config)
    model(torch.tensor([list(ids)]), cache=cache, use_cache=True, logits_to_keep=1)
    cache.batch_repeat_interleave(len(firsts))
    texts = torch.tensor([[*ids, first] for first in firsts])
    end = model.generation_config.eos_token_id
    ends = {end} if isinstance(end, int) else set(end or ())
    settings: Any = GenerationConfig
    before, model.generation_config = model.generation_config, settings()
    try:
        out = model.generate(
            texts,
            attention_mask=torch.ones_like(texts),
            cache=cache,
            logits_processor=LogitsProcessorList([choosing]),
            generation_config=settings(
                do_sample=True,
                max_new_tokens=NEW_TOKENS,
                eos_token_id=sorted(ends) or None,
                pad_token_id=0,
            ),
        )
    finally:
        model.generation_config = before
    rows = out[:, texts.shape[1] :].tolist()
    return [
        [] if first in ends else _until_the_end(row, ends)
        for first, row in zip(firsts, rows, strict=True)
    ]


def _until_the_end(ids: list[int], ends: set[int]) -> list[int]:
    last = next((place for place, token in enumerate(ids) if token in ends), len(ids))
    return ids[: last + 1]
