"""The same walk with somebody's own stages, held against the model at every step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from token_journey.course.course import Course
from token_journey.course.implementation import CannotLoad, Implementation, Stage
from token_journey.course.under_test import CheckFailure
from token_journey.errors import JourneyError
from token_journey.guards.time_limit import OutOfTime, time_limit
from token_journey.journey.journey import Continuation
from token_journey.journey.material import Known, Material
from token_journey.journey.shortening import cut
from token_journey.llama.names import describe
from token_journey.numbers import size
from token_journey.walk.against_model import chained, distance, to_do
from token_journey.walk.walker import Ground, Walker

SECONDS = 60.0
YOURS, REFERENCE = "yours", "reference"


@dataclass(frozen=True)
class GivenToStages:
    """What the stages are given, and how far from the model's each name may lie."""

    ground: Ground
    allowed: Mapping[str, float]


def beyond_the_kata(title: str, beyond: Mapping[str, str]) -> JourneyError:
    """What to say of a model that the ten stages can't compute."""
    what = " and ".join(beyond)
    return JourneyError(f"{title} has {what}, which no stage is about: walk it without --impl.")


def taken_by(folder: Path, course: Course, given: GivenToStages, material: Material) -> Material:
    """The material with a folder's stages in the model's place, as far as they go.

    Stages still to do are the reference's. Raises JourneyError for a folder without stages.
    """
    stages = course.stages()
    missing = to_do(folder, stages)
    if not any((folder / f"{stage.name}.py").is_file() for stage in stages):
        raise JourneyError(f"There are no stages in {folder}: name a folder such as exercises.")
    reference = Implementation(course.reference)
    walk = _Walk(chained(folder, reference, missing), stages, missing, given, material)
    try:
        with time_limit(SECONDS):
            walk.go()
    except OutOfTime:
        walk.stopped("did not end in time")
    except (CheckFailure, CannotLoad) as error:
        walk.stopped(f"stopped the walk: {error}")
    except Exception as error:
        walk.stopped(f"stopped the walk: {type(error).__name__}: {error}")
    finally:
        walk.implementation.unload()
        reference.unload()
    return walk.material()


class _Walk:
    """One walk, and what is to be said of it."""

    def __init__(
        self,
        implementation: Implementation,
        stages: list[Stage],
        missing: list[Stage],
        given: GivenToStages,
        material: Material,
    ):
        self.implementation = implementation
        self._material = material
        self._given = given
        self._missing = {stage.name for stage in missing}
        self._stages = stages
        self._seen: dict[str, Known] = {}
        self._said: dict[int, str] = {}
        self._broken = False
        self._continuation: list[Continuation] = []
        self._walker = Walker(implementation, stages, given.ground, self._saw, lambda layer: True)

    def go(self) -> None:
        ground = self._given.ground
        if ground.vocabulary is not None and ground.words:
            ids = self._walker.tokens()
            same = ids == list(ground.ids)
            by = self._by(self._walker.stage)
            right = self._material.activations["tokens"].value
            self._seen["tokens"] = Known(right, {}, by, 0.0 if same else torch.inf, 0.0)
            if not same:
                self._said[1] = f"Your ids are {ids}; the walk goes on with the model's."
        else:
            self._said[1] = "This tokenizer does more than merge: its own ids are used."
        self._walker.decode()
        theirs = self._material.continuations[:1]
        if theirs:
            self._go_on(len(theirs[0].pieces), theirs[0])

    def _go_on(self, count: int, theirs: Continuation) -> None:
        ground, spell = self._given.ground, self._material.spell
        written = self._walker.generate(count)[len(ground.ids) :]
        mine = tuple(spell(token) for token in written)
        by = self._by(self._walker.stage)
        self._continuation = [Continuation(f"{theirs.how}, {by}", mine)]
        stage = Stage(self._walker.stage).number
        if mine == theirs.pieces:
            self._said[stage] = "The same tokens as the model, every one."
        else:
            self._said[stage] = "Not the tokens that the model goes on with."

    def _saw(self, name: str, stage: str, value: Any, called: str) -> None:
        if called or not isinstance(value, Tensor):
            return
        value = cut(value.detach(), describe(name).axes, len(self._given.ground.ids))
        known = self._material.activations.get(name)
        if known is None or known.visible:
            self._seen[name] = Known(value, by=self._by(stage))
            return
        off, allowed = distance(value, known.value), self._given.allowed.get(name)
        if value.shape != known.value.shape:  # what can't be shown is left to the model
            self._said[Stage(stage).number] = (
                f"Its shape is {tuple(value.shape)} where the model has {tuple(known.value.shape)}."
            )
            self._seen[name] = replace(known, difference=off, allowed=allowed)
            return
        self._seen[name] = Known(value, {}, self._by(stage), off, allowed)

    def _by(self, stage: str) -> str:
        return REFERENCE if stage in self._missing else YOURS

    def stopped(self, why: str) -> None:
        self._broken = True
        stage = self._walker.stage
        self._said[Stage(stage).number] = (
            f"{stage}.py {why.rstrip('.')}. From here on you see the model's own numbers."
        )

    def material(self) -> Material:
        return replace(
            self._material,
            activations={**self._material.activations, **self._seen},
            by={stage.number: self._by(stage.name) for stage in self._stages},
            said=self._said,
            continuations=(*self._continuation, *self._material.continuations),
            verdict=self._verdict(),
        )

    def _verdict(self) -> str:
        whose = self._whose()
        left = next(((name, k) for name, k in self._seen.items() if not _holds(k)), None)
        if left is not None:
            name, known = left
            off = known.difference or 0.0
            by = f", by {size(off)}" if isfinite(off) else ""
            return f"{whose} {name} is the first to leave the model{by}."
        if self._broken:
            return f"{whose} The walk did not reach its end."
        return f"{whose} Every number is the model's, up to rounding."

    def _whose(self) -> str:
        mine, all_stages = len(self._stages) - len(self._missing), len(self._stages)
        if mine == all_stages:
            return "All stages are yours."
        if mine == 0:
            return "No stage is yours yet: the reference takes them all."
        return f"{mine} of {all_stages} stages are yours, and the reference takes the rest."


def _holds(known: Known) -> bool:
    return known.difference is None or known.difference <= (known.allowed or 0.0)
