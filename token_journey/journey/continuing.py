"""How a sentence could go on, by transformers' `generate`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import GenerationConfig

from token_journey.journey.journey import Continuation
from token_journey.journey.settings import Settings

BRANCHES = 8
GREEDY, NEW_TOKENS, SAMPLED = "greedy", 12, 3

Spell = Callable[[int], str]


def continue_all(
    model: Any, ids: Sequence[int], logits: Tensor, settings: Settings, spell: Spell
) -> tuple[list[Continuation], dict[int, tuple[str, ...]]]:
    """The greedy continuation and some sampled ones; and how each likely token is gone on after.

    logits: (V,), after the last token
    """
    best = logits.topk(min(BRANCHES, len(logits))).indices.tolist()
    branches = {
        token: tuple(map(spell, written))
        for token, written in zip(
            best, _written(model, [[*ids, token] for token in best]), strict=True
        )
    }
    greedy = Continuation(GREEDY, (spell(best[0]), *branches[best[0]]))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        drawn = _written(
            model,
            [list(ids)] * SAMPLED,
            do_sample=True,
            temperature=settings.temperature,
            top_k=settings.top_k,
            top_p=settings.top_p,
        )
    sampled = [Continuation(settings.said, tuple(map(spell, written))) for written in drawn]
    return [greedy, *sampled], branches


def _written(model: Any, texts: list[list[int]], **how: Any) -> list[list[int]]:
    """What comes after each of some texts of one length, up to the end token."""
    ids = torch.tensor(texts)
    end = model.generation_config.eos_token_id
    ends = {end} if isinstance(end, int) else set(end or ())
    settings: Any = GenerationConfig
    before, model.generation_config = model.generation_config, settings()
    try:
        out = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            generation_config=settings(
                max_new_tokens=NEW_TOKENS,
                eos_token_id=sorted(ends) or None,
                pad_token_id=0,
                **{"do_sample": False, **how},
            ),
        )
    finally:
        model.generation_config = before
    return [_until_the_end(row.tolist(), ends) for row in out[:, ids.shape[1] :]]


def _until_the_end(ids: list[int], ends: set[int]) -> list[int]:
    last = next((place for place, token in enumerate(ids) if token in ends), len(ids))
    return ids[: last + 1]
