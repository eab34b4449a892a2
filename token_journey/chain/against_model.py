"""A chained walk: each stage gets what the earlier stages of the same folder produced.

Stages are graded alone; this is the other view. One sentence goes through all
of them, and every activation that is known of the model is held against it.
The first name that leaves the model is where to look.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite
from pathlib import Path
from typing import Any

from torch import Tensor

from token_journey.chain.walker import Ground, Walker
from token_journey.course.implementation import CannotLoad, Implementation
from token_journey.course.stage import Stage
from token_journey.course.under_test import CheckFailure
from token_journey.foreign import message_of
from token_journey.guards.time_limit import OutOfTime, time_limit
from token_journey.numbers import size

SECONDS_A_WALK = 60.0
_STUB = "raise NotImplementedError"


@dataclass(frozen=True)
class Target:
    """What stages are given, and what a model makes of the same sentence.

    value:      an activation by its name; None where it is not known, or only in part
    allowed:    how far from that one rounding may lead
    kept:       how much of an activation is looked at; `value` gives as much
    inside:     of which layers attention is taken apart
    new_tokens: how many the last stage is to write
    """

    ground: Ground
    value: Callable[[str], Tensor | None]
    allowed: Callable[[str], float]
    kept: Callable[[str, Tensor], Tensor] = lambda name, value: value
    inside: Callable[[int], bool] = lambda layer: True
    new_tokens: int = 1


@dataclass(frozen=True, eq=False)
class StageOutput:
    """What a stage made, under its name or another, and how far from the model's it lies.

    `distance` is None where the model's is not known. `again` says that the walk made it
    before, in another way.
    """

    name: str
    stage: str
    value: Any
    distance: float | None = None
    allowed: float = 0.0
    again: bool = False

    @property
    def holds(self) -> bool:
        return self.distance is None or self.distance <= self.allowed


@dataclass
class Walk:
    """What the stages made, as far as they went.

    `missing` are those that the reference stood in for, `written` the ids of the sentence
    and of what the last stage wrote after it, `probs` what the ninth says of the next token.
    `error` is what ended the walk early, raised in the stage `broken`.
    """

    missing: Sequence[Stage]
    outputs: list[StageOutput] = field(default_factory=list)
    ids: list[int] | None = None
    written: list[int] | None = None
    probs: Tensor | None = None
    broken: str = ""
    error: BaseException | None = None

    @property
    def departure(self) -> StageOutput | None:
        """The first that is not the model's."""
        return next((output for output in self.outputs if not output.holds), None)


def walk_against(
    target: Target,
    folder: Path,
    stages: list[Stage],
    reference: Implementation,
    instead: Sequence[Stage] = (),
) -> Walk:
    """Take a sentence through the stages of a folder, as far as they go.

    Stages that are still to do are the reference's, and so are those `instead` of which it stands.
    """
    missing = to_do(folder, stages)
    replaced = (*missing, *instead)
    stand_ins = {stage.name: reference.module(stage.name) for stage in replaced}
    implementation = Implementation(folder, stand_ins)
    walk = Walk(missing)

    def saw(name: str, stage: str, value: Any, called: str = "") -> None:
        walk.outputs.append(_held(target, name, stage, value, called))

    walker = Walker(implementation, stages, target.ground, saw, target.inside)
    try:
        with time_limit(SECONDS_A_WALK):
            _go(walk, walker, target)
    except (Exception, CannotLoad, OutOfTime, SystemExit) as error:
        walk.error, walk.broken = error, walker.stage
    finally:
        implementation.unload()
    walk.probs = walker.probs
    return walk


def _go(walk: Walk, walker: Walker, target: Target) -> None:
    ground = target.ground
    if ground.merges:
        walk.ids = walker.tokens()
        walk.outputs.append(same("tokens", walker.stage, walk.ids, list(ground.ids)))
    walker.decode()
    if target.new_tokens:
        walk.written = walker.generate(target.new_tokens)


def _held(target: Target, name: str, stage: str, value: Any, called: str) -> StageOutput:
    """An output beside the model's own."""
    again = bool(called)
    if isinstance(value, Tensor):
        value = target.kept(name, value.detach())
    expected = target.value(name)
    if expected is None:
        return StageOutput(called or name, stage, value, again=again)
    off = _distance(value, expected)
    return StageOutput(called or name, stage, value, off, target.allowed(name), again)


def same(name: str, stage: str, ids: list[int], right: list[int]) -> StageOutput:
    """Ids beside the model's: the same, or infinitely far from it."""
    return StageOutput(name, stage, ids, 0.0 if ids == right else inf)


def to_do(folder: Path, stages: list[Stage]) -> list[Stage]:
    """The stages of a folder that are missing or still say "not implemented"."""

    def unwritten(stage: Stage) -> bool:
        file = folder / f"{stage.name}.py"
        return not file.is_file() or _STUB in file.read_text(encoding="utf-8", errors="replace")

    return [stage for stage in stages if unwritten(stage)]


def _distance(value: Any, expected: Tensor) -> float:
    """The largest distance between two tensors; infinite where they can't be compared."""
    if not isinstance(value, Tensor) or value.shape != expected.shape:
        return inf
    same = value == expected  # −inf and −inf are
    off = (value.double() - expected.double()).masked_fill(same, 0.0).abs().max().item()
    return inf if off != off else off


# -- in words -----------------------------------------------------------------


def leaving(departure: StageOutput) -> str:
    """`embed is the first to leave the model, by 0.02`"""
    off = departure.distance
    by = "" if off is None or not isfinite(off) else f", by {size(off)}"
    return f"{departure.name} is the first to leave the model{by}"


def stopped(walk: Walk, held_back: bool = False) -> str:
    """`s03_rms_norm.py stopped the walk: …`; nothing if it went to its end.

    held_back: an error of Python's own is only named, for it may hold what is not shown
    """
    error, file = walk.error, f"{walk.broken}.py"
    if error is None:
        return ""
    if isinstance(error, OutOfTime):
        return f"{file} did not end within {SECONDS_A_WALK:.0f} s"
    said = message_of(error) or "(its message can't be shown)"
    if isinstance(error, CheckFailure | CannotLoad):
        return f"{file} stopped the walk: {said}"
    kind = type(error).__name__
    return f"{file} stopped the walk: {kind if held_back else f'{kind}: {said}'}"
