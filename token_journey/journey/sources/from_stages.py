"""The same walk with somebody's own stages, held against the model at every step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from token_journey.chain.against_model import (
    StageOutput,
    Target,
    Walk,
    leaving,
    stopped,
    walk_against,
)
from token_journey.chain.walker import Ground
from token_journey.course.course import Course
from token_journey.course.implementation import Implementation
from token_journey.course.stage import Stage
from token_journey.errors import JourneyError
from token_journey.journey.journey import Continuation, Run, Taken
from token_journey.journey.material import Material
from token_journey.journey.shortening import cut
from token_journey.llama.names import describe

YOURS, REFERENCE = "yours", "reference"
# Each replaced stage costs a walk more.
_MOST_REPLACED = 4
_SAME_TOKENS = "The same tokens as the model, every one."


@dataclass(frozen=True)
class GivenToStages:
    """What the stages are given, and how far from the model's each name may lie."""

    ground: Ground
    allowed: Mapping[str, float]


def beyond_the_kata(title: str, beyond: Mapping[str, str]) -> JourneyError:
    """What to say of a model that the ten stages can't compute."""
    what = " and ".join(beyond)
    return JourneyError(f"{title} has {what}, which no stage is about: walk it without --impl.")


def refuse_no_stages(folder: Path, course: Course) -> None:
    """Raises JourneyError for a folder without stages."""
    if not any((folder / f"{stage.name}.py").is_file() for stage in course.stages()):
        raise JourneyError(f"There are no stages in {folder}: name a folder such as exercises.")


def taken_by(folder: Path, course: Course, given: GivenToStages, material: Material) -> Material:
    """The material, and beside it what a folder's stages make of the sentence, as far as they go.

    Stages still to do are the reference's. Raises JourneyError for a folder without stages.
    """
    refuse_no_stages(folder, course)
    reference = Implementation(course.reference)
    taking = _Taking(folder, course.stages(), given, material, reference)
    try:
        runs = tuple(taking.runs())
    finally:
        reference.unload()
    return replace(material, runs=runs, continuations=(*taking.wrote, *material.continuations))


class _Taking:
    """Walks with a folder's stages: as they are, then with more and more of the reference's."""

    def __init__(
        self,
        folder: Path,
        stages: list[Stage],
        given: GivenToStages,
        material: Material,
        reference: Implementation,
    ):
        self._folder, self._stages, self._reference = folder, stages, reference
        self._ground, self._material = given.ground, material
        self._target = _target(given, material)
        self.wrote: tuple[Continuation, ...] = ()

    def runs(self) -> Iterator[Run]:
        """Until all is the model's, or as many stages are replaced as one looks at."""
        replaced: list[Stage] = []
        while True:
            walk = self._walk(replaced)
            if not replaced and walk.written is not None:
                self.wrote = self._continuation(walk)
            yield self._run(walk, replaced)
            wrong = self._wrong(walk)
            if wrong is None or wrong in walk.missing or wrong in replaced:
                return
            if len(replaced) == _MOST_REPLACED:
                return
            replaced.append(wrong)

    def _walk(self, replaced: Sequence[Stage]) -> Walk:
        return walk_against(self._target, self._folder, self._stages, self._reference, replaced)

    def _run(self, walk: Walk, replaced: Sequence[Stage]) -> Run:
        theirs = {stage.name for stage in (*walk.missing, *replaced)}
        by = {s.number: REFERENCE if s.name in theirs else YOURS for s in self._stages}
        made = (o for o in walk.outputs if o.distance is not None)
        return Run(
            replaced=tuple(stage.number for stage in replaced),
            by=by,
            taken={o.name: self._taken(o, by) for o in made},
            verdict=self._verdict(walk, replaced),
            first=walk.departure.name if walk.departure else "",
            stopped=Stage(walk.broken).number if walk.error is not None else None,
            wrote_other=not self._same_tokens(walk),
            said=self._said(walk),
        )

    def _taken(self, output: StageOutput, by: Mapping[int, str]) -> Taken:
        assert output.distance is not None
        theirs = self._theirs(output)
        assert theirs is not None
        value = output.value if isinstance(output.value, Tensor) else None
        shape = tuple(value.shape) if value is not None else ()
        return Taken(
            by=by[Stage(output.stage).number],
            shape=shape,
            difference=output.distance,
            allowed=output.allowed,
            value=value if shape == tuple(theirs.shape) else None,
        )

    def _theirs(self, output: StageOutput) -> Tensor | None:
        """The model's tensor; some are made twice, and then called by who made them."""
        return self._target.value(output.name.partition(" by ")[0])

    def _wrong(self, walk: Walk) -> Stage | None:
        """The first stage that does not do as the model does."""
        if walk.departure is not None:
            return self._named(walk.departure.stage)
        if walk.error is not None:
            return self._named(walk.broken)
        return None if self._same_tokens(walk) else self._stages[-1]

    def _named(self, name: str) -> Stage | None:
        return next((stage for stage in self._stages if stage.name == name), None)

    # -- what it wrote ------------------------------------------------------------------------

    def _continuation(self, walk: Walk) -> tuple[Continuation, ...]:
        by = REFERENCE if self._stages[-1] in walk.missing else YOURS
        how = f"{self._material.continuations[0].how}, {by}"
        return (Continuation(how, self._pieces(walk)),)

    def _pieces(self, walk: Walk) -> tuple[str, ...]:
        """What the last stage wrote after the sentence."""
        written = (walk.written or [])[len(self._ground.ids) :]
        return tuple(self._material.spell(token) for token in written)

    def _same_tokens(self, walk: Walk) -> bool:
        if walk.written is None or not self._material.continuations:
            return True
        return self._pieces(walk) == self._material.continuations[0].pieces

    # -- in words -----------------------------------------------------------------------------

    def _said(self, walk: Walk) -> dict[int, str]:
        """What there is to say of what the stages did, by their numbers."""
        said = {}
        if not self._ground.merges:
            said[1] = "This tokenizer does more than merge: its own ids are used."
        elif walk.ids not in (None, list(self._ground.ids)):
            said[1] = f"Your ids are {walk.ids}; the walk goes on with the model's."
        for output in walk.outputs:
            theirs, value = self._theirs(output), output.value
            if isinstance(value, Tensor) and theirs is not None and value.shape != theirs.shape:
                shapes = f"{tuple(value.shape)} where the model has {tuple(theirs.shape)}"
                said[Stage(output.stage).number] = f"Its shape is {shapes}."
        if walk.written is not None and self._material.continuations:
            same = self._same_tokens(walk)
            said[10] = _SAME_TOKENS if same else "Not the tokens that the model goes on with."
        if walk.error is not None:
            said[Stage(walk.broken).number] = f"{stopped(walk).rstrip('.')}."
        return said

    def _verdict(self, walk: Walk, replaced: Sequence[Stage]) -> str:
        instead = ", ".join(str(stage.number) for stage in replaced)
        said = [_instead(instead) if replaced else _whose(self._stages, walk.missing)]
        if walk.departure is not None:
            said.append(f"{leaving(walk.departure)}.")
        if walk.error is not None:
            said.append(f"{stopped(walk).rstrip('.')}. This walk ends there.")
        elif walk.departure is None and self._same_tokens(walk):
            said.append("Every number is the model's, up to rounding.")
        elif not self._same_tokens(walk):
            said.append("It goes on with other tokens than the model.")
        return " ".join(" ".join(said).split())


def _target(given: GivenToStages, material: Material) -> Target:
    greedy = material.continuations[:1]

    def value(name: str) -> Tensor | None:
        known = material.activations.get(name)
        return None if known is None or known.visible else known.value

    return Target(
        given.ground,
        value,
        allowed=lambda name: given.allowed.get(name, 0.0),
        kept=lambda name, value: cut(value, describe(name).axes, len(given.ground.ids)),
        new_tokens=len(greedy[0].pieces) if greedy else 0,
    )


def _instead(numbers: str) -> str:
    return f"With the reference's stage {numbers} in place of yours:"


def _whose(stages: Sequence[Stage], missing: Sequence[Stage]) -> str:
    mine, all_stages = len(stages) - len(missing), len(stages)
    if mine == all_stages:
        return "All stages are yours."
    if mine == 0:
        return "No stage is yours yet: the reference takes them all."
    return f"{mine} of {all_stages} stages are yours, and the reference takes the rest."
