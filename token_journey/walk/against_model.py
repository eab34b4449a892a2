"""A chained walk: each stage gets what the earlier stages of the same folder produced.

Stages are graded alone; this is the other view. One sentence goes through all
of them, and every activation that the model's own was captured of is held
against it. The first name that leaves the model is where to look.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from token_journey.course.implementation import CannotLoad, Implementation
from token_journey.course.stage import Stage
from token_journey.packs.manifest import Prompt
from token_journey.packs.pack import Pack, Prompt
from token_journey.walk.walker import Ground, Walker

_STUB = "raise NotImplementedError"
_BEST = 5


@dataclass(frozen=True)
class Step:
    """One name in the walk: which stage made it, and how far it lies from the model's."""

    name: str
    stage: str
    distance: float
    allowed: float

    @property
    def holds(self) -> bool:
        return self.distance <= self.allowed


@dataclass(frozen=True)
class Walk:
    """The steps as far as they went, and what the model would say next.

    `error` is what ended the walk early, raised in `broken`; `guesses` and
    `model_guesses` are the likeliest next tokens with their probabilities.
    """

    steps: list[Step]
    guesses: list[tuple[str, float]]
    model_guesses: list[tuple[str, float]]
    broken: str = ""
    error: BaseException | None = None

    @property
    def departure(self) -> Step | None:
        """The first step that is not the model's."""
        return next((step for step in self.steps if not step.holds), None)

    @property
    def right(self) -> bool:
        return self.error is None and self.departure is None


def to_do(folder: Path, stages: list[Stage]) -> list[Stage]:
    """The stages of a folder that are missing or still say "not implemented"."""

    def unwritten(stage: Stage) -> bool:
        file = folder / f"{stage.name}.py"
        return not file.is_file() or _STUB in file.read_text(encoding="utf-8", errors="replace")

    return [stage for stage in stages if unwritten(stage)]


def chained(folder: Path, reference: Implementation, missing: list[Stage]) -> Implementation:
    """The folder's stages, with the reference's in place of those that are missing."""
    return Implementation(folder, {s.name: reference.module(s.name) for s in missing})


def walk(implementation: Implementation, stages: list[Stage], pack: Pack, prompt: Prompt) -> Walk:
    """Take one prompt through all stages, as far as they go.

    pack: one with all weights, a vocabulary, and what the model computed on `prompt`
    """
    steps: list[Step] = []

    def saw(name: str, stage: str, value: Any, called: str = "") -> None:
        """Record a step, under its own name or another, if the model's value was captured."""
        if not pack.has_activation(prompt.name, name):
            return
        entry = pack.activation_entry(prompt.name, name)
        if entry.complete:
            expected = pack.activation(prompt.name, name)
            steps.append(Step(called or name, stage, distance(value, expected), entry.end_to_end))

    def inside(layer: int) -> bool:
        return pack.has_activation(prompt.name, f"blocks.{layer}.attn.q")

    ground = Ground(
        pack.config,
        pack.all_weights(),
        prompt.ids,
        prompt.words,
        pack.vocabulary,
        pack.begin_token,
    )
    walker = Walker(implementation, stages, ground, saw, inside)
    error: BaseException | None = None
    try:
        ids = walker.tokens()
        steps.append(_same("tokens", walker.stage, ids, list(prompt.ids)))
        walker.decode()
        best = int(pack.activation(prompt.name, "logits.last").argmax())
        written = walker.generate(1)
        steps.append(_same("the next token", walker.stage, written, [*prompt.ids, best]))
    except (Exception, CannotLoad) as raised:
        error = raised
    model = _best(pack.activation(prompt.name, "probs.last"), pack)
    mine = _best(walker.probs, pack) if walker.probs is not None else []
    return Walk(steps, mine, model, walker.stage if error else "", error)


def distance(value: Any, expected: Tensor) -> float:
    """The largest distance between two tensors; infinite where they can't be compared."""
    if not isinstance(value, Tensor) or value.shape != expected.shape:
        return torch.inf
    same = value.detach() == expected  # −inf and −inf are
    off = (value.detach().double() - expected.double()).masked_fill(same, 0.0).abs().max().item()
    return torch.inf if off != off else off


def _same(name: str, stage: str, ids: list[int], right: list[int]) -> Step:
    return Step(name, stage, 0.0 if ids == right else torch.inf, 0.0)


def _best(probs: Tensor, pack: Pack) -> list[tuple[str, float]]:
    """The likeliest tokens as text, with their probabilities."""
    best = probs.detach().float().topk(_BEST)
    spelled = pack.vocabulary.id_to_bytes
    return [
        (spelled.get(token, b"?").decode("utf-8", errors="replace"), p)
        for token, p in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]
