"""`pytest PATH --chained`: one walk through all stages of a folder, as a pytest item."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from pathlib import Path

import pytest

from token_journey.course.implementation import CannotLoad, Implementation, Stage
from token_journey.course.under_test import CheckFailure
from token_journey.errors import PackError
from token_journey.guards.foreign_text import message_of
from token_journey.guards.time_limit import OutOfTime, time_limit
from token_journey.numbers import size
from token_journey.packs.pack import Pack, Prompt
from token_journey.walk.against_model import Walk, chained, to_do, walk

SECONDS_A_WALK = 60.0


class ChainedFolder(pytest.File):
    """A folder of stages, found through one of its stage files; of several only one `walks`."""

    stages: list[Stage]
    reference: Implementation
    packs: list[Pack]
    walks: bool

    def collect(self) -> Iterator[ChainedWalk]:
        if not self.walks:
            return
        pack = _walkable(self.packs)
        for prompt in pack.prompts.values():
            if prompt.start == 0 and pack.has_activation(prompt.name, "probs.last"):
                item: ChainedWalk = ChainedWalk.from_parent(self, name=f"walk[{prompt.name}]")
                item.pack, item.prompt = pack, prompt
                yield item


class ChainedWalk(pytest.Item):
    """One prompt, from text to next token."""

    parent: ChainedFolder
    pack: Pack
    prompt: Prompt
    story: str = ""

    def runtest(self) -> None:
        folder = self.path.parent
        missing = to_do(folder, self.parent.stages)
        implementation = chained(folder, self.parent.reference, missing)
        try:
            with time_limit(SECONDS_A_WALK):
                walked = walk(implementation, self.parent.stages, self.pack, self.prompt)
        except OutOfTime:
            pytest.fail("The walk did not end in time.", pytrace=False)
        finally:
            implementation.unload()
        self.story = tell(walked, self.pack, self.prompt, missing)
        if not walked.right:
            pytest.fail(self.story, pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self.name


def _walkable(packs: list[Pack]) -> Pack:
    """The first pack that holds all a walk needs: every weight and a vocabulary."""
    for pack in packs:
        last = f"model.layers.{pack.config.num_hidden_layers - 1}.mlp.down_proj.weight"
        table = "model.embed_tokens.weight"
        whole = all(pack.has_weight(n) and pack.weight_entry(n).complete for n in (table, last))
        if whole and pack.has_vocabulary:
            return pack
    raise PackError("No pack has a whole model to walk through: run `git checkout packs`.")


def tell(walked: Walk, pack: Pack, prompt: Prompt, missing: list[Stage]) -> str:
    """The walk in words: how far it is the model's, where it leaves, what that does."""
    shown = prompt.name if pack.held_back else f"“{prompt.text}”"
    lines = [f"{shown} through {pack.title}:"]
    if missing:
        numbers = ", ".join(str(stage.number) for stage in missing)
        lines.append(f"Still to do, so the reference stands in: stage {numbers}.")
    departure = walked.departure
    right = [step.name for step in walked.steps if step.holds]
    if departure is not None:
        before = walked.steps[: walked.steps.index(departure)]
        if before:
            lines.append(f"{before[0].name} … {before[-1].name} are the model's.")
        stage = Stage(departure.stage)
        by = ""
        if isfinite(departure.distance):
            by = f", by {size(departure.distance)} ({size(departure.allowed)} is allowed)"
        lines.append(
            f"{departure.name} is the first to leave the model{by}. It comes from stage "
            f"{stage.number}, {departure.stage}.py."
        )
    elif right:
        lines.append(f"All {len(right)} captured names, {right[0]} … {right[-1]}, are the model's.")
    if walked.error is not None:
        kind = type(walked.error).__name__
        plain = isinstance(walked.error, CheckFailure | CannotLoad)
        said = str(walked.error) if plain else f"{kind}: {message_of(walked.error) or ''}"
        if pack.held_back and not plain:
            said = kind
        lines.append(f"{walked.broken}.py stopped the walk: {said}")
    if not pack.held_back:
        lines.append(f"Next token, the model:  {_guesses(walked.model_guesses)}")
    if walked.guesses:
        lines.append(f"Next token, your walk:  {_guesses(walked.guesses)}")
    return "\n".join(lines)


def _guesses(guesses: list[tuple[str, float]]) -> str:
    return "   ".join(f"{text!r} {100 * p:.1f} %" for text, p in guesses)
