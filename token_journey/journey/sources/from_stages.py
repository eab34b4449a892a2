"""The same walk with somebody's own stages, held against the model at every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from token_journey.journey.journey import Continuation, Known
from token_journey.journey.material import Material
from token_journey.journey.shortening import cut
from token_journey.llama.names import describe

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


def refuse_no_stages(folder: Path, course: Course) -> None:
    """Raises JourneyError for a folder without stages."""
    if not any((folder / f"{stage.name}.py").is_file() for stage in course.stages()):
        raise JourneyError(f"There are no stages in {folder}: name a folder such as exercises.")


def taken_by(folder: Path, course: Course, given: GivenToStages, material: Material) -> Material:
    """The material with a folder's stages in the model's place, as far as they go.

    Stages still to do are the reference's. Raises JourneyError for a folder without stages.
    """
    refuse_no_stages(folder, course)
    stages = course.stages()
    reference = Implementation(course.reference)
    try:
        walk = walk_against(_target(given, material), folder, stages, reference)
    finally:
        reference.unload()
    by = {stage.name: REFERENCE if stage in walk.missing else YOURS for stage in stages}
    return replace(
        material,
        activations={**material.activations, **_activations(walk, by, material)},
        by={stage.number: by[stage.name] for stage in stages},
        said=_said(walk, given.ground, material),
        continuations=(
            *_continuation(walk, given.ground, by[stages[-1].name], material),
            *material.continuations,
        ),
        verdict=f"{_whose(stages, walk.missing)} {_verdict(walk)}",
    )


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


def _activations(walk: Walk, by: Mapping[str, str], material: Material) -> dict[str, Known]:
    """What the stages made, under its names."""
    found = {o.name: _known(o, by[o.stage], material) for o in walk.outputs if not o.again}
    return {name: known for name, known in found.items() if known is not None}


def _known(output: StageOutput, by: str, material: Material) -> Known | None:
    value = output.value
    if output.distance is None:
        return Known(value, by=by) if isinstance(value, Tensor) else None
    theirs = material.activations[output.name]
    if output.name == "tokens":  # the walk goes on with the model's
        value = theirs.value
    elif not _same_shape(output, theirs):  # what can't be shown is left to the model
        return replace(theirs, difference=output.distance, allowed=output.allowed)
    return Known(value, {}, by, output.distance, output.allowed)


def _same_shape(output: StageOutput, theirs: Known) -> bool:
    return isinstance(output.value, Tensor) and output.value.shape == theirs.value.shape


def _said(walk: Walk, ground: Ground, material: Material) -> dict[int, str]:
    """What there is to say of what the stages did, by their numbers."""
    said = {}
    if not ground.merges:
        said[1] = "This tokenizer does more than merge: its own ids are used."
    elif walk.ids not in (None, list(ground.ids)):
        said[1] = f"Your ids are {walk.ids}; the walk goes on with the model's."
    for output in walk.outputs:
        theirs = material.activations.get(output.name)
        if output.distance is None or theirs is None or output.name == "tokens":
            continue
        if isinstance(output.value, Tensor) and not _same_shape(output, theirs):
            shapes = f"{tuple(output.value.shape)} where the model has {tuple(theirs.value.shape)}"
            said[Stage(output.stage).number] = f"Its shape is {shapes}."
    if walk.written is not None:
        same = _pieces(walk, ground, material) == material.continuations[0].pieces
        said[10] = (
            "The same tokens as the model, every one."
            if same
            else "Not the tokens that the model goes on with."
        )
    if walk.error is not None:
        why = stopped(walk).rstrip(".")
        said[Stage(walk.broken).number] = f"{why}. From here on you see the model's own numbers."
    return said


def _pieces(walk: Walk, ground: Ground, material: Material) -> tuple[str, ...]:
    """What the last stage wrote after the sentence."""
    return tuple(material.spell(token) for token in (walk.written or [])[len(ground.ids) :])


def _continuation(
    walk: Walk, ground: Ground, by: str, material: Material
) -> tuple[Continuation, ...]:
    if walk.written is None:
        return ()
    how = f"{material.continuations[0].how}, {by}"
    return (Continuation(how, _pieces(walk, ground, material)),)


def _verdict(walk: Walk) -> str:
    if walk.departure is not None:
        return f"{leaving(walk.departure)}."
    if walk.error is not None:
        return "The walk did not reach its end."
    return "Every number is the model's, up to rounding."


def _whose(stages: Sequence[Stage], missing: Sequence[Stage]) -> str:
    mine, all_stages = len(stages) - len(missing), len(stages)
    if mine == all_stages:
        return "All stages are yours."
    if mine == 0:
        return "No stage is yours yet: the reference takes them all."
    return f"{mine} of {all_stages} stages are yours, and the reference takes the rest."
