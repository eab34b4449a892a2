"""`pytest PATH --chained`: one walk through all stages of a folder, as a pytest item."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from pathlib import Path

import pytest
from torch import Tensor

from token_journey.chain.against_model import (
    Target,
    Walk,
    leaving,
    same,
    stopped,
    walk_against,
)
from token_journey.chain.walker import Ground
from token_journey.course.implementation import Implementation
from token_journey.course.stage import Stage
from token_journey.errors import PackError
from token_journey.guards.process_state import quarantine
from token_journey.numbers import percent, size
from token_journey.packs.manifest import Prompt
from token_journey.packs.pack import Pack
from token_journey.words import walk as words

_BEST = 5


class ChainedFolder(pytest.File):
    """A folder of stages, found through one of its stage files; of several only one `walks`."""

    stages: list[Stage]
    reference: Implementation
    packs: list[Pack]
    walks: bool

    def collect(self) -> Iterator[ChainedItem]:
        if not self.walks:
            return
        pack = _walkable(self.packs)
        for prompt in pack.prompts.values():
            if prompt.start == 0 and pack.has_activation(prompt.name, "probs.last"):
                item: ChainedItem = ChainedItem.from_parent(self, name=f"walk[{prompt.name}]")
                item.pack, item.prompt = pack, prompt
                yield item


class ChainedItem(pytest.Item):
    """One prompt, from text to next token."""

    parent: ChainedFolder
    pack: Pack
    prompt: Prompt
    story: str = ""

    def runtest(self) -> None:
        target = _target(self.pack, self.prompt)
        with quarantine():
            walk = walk_against(target, self.path.parent, self.parent.stages, self.parent.reference)
        if walk.written is not None:
            best = int(self.pack.activation(self.prompt.name, "logits.last").argmax())
            right = [*self.prompt.ids, best]
            walk.outputs.append(
                same("the next token", self.parent.stages[-1].name, walk.written, right)
            )
        self.story = tell(walk, self.pack, self.prompt)
        if walk.error is not None or walk.departure is not None:
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


def _target(pack: Pack, prompt: Prompt) -> Target:
    """What stages are given to walk a prompt of a pack with all weights and a vocabulary."""
    weights, vocabulary = pack.all_weights(), pack.vocabulary
    ground = Ground(pack.config, weights, prompt.ids, prompt.words, vocabulary, pack.begin_token)

    def value(name: str) -> Tensor | None:
        known = pack.has_activation(prompt.name, name)
        whole = known and pack.activation_entry(prompt.name, name).complete
        return pack.activation(prompt.name, name) if whole else None

    return Target(
        ground,
        value,
        allowed=lambda name: pack.activation_entry(prompt.name, name).end_to_end,
        inside=lambda layer: pack.has_activation(prompt.name, f"blocks.{layer}.attn.q"),
    )


def tell(walk: Walk, pack: Pack, prompt: Prompt) -> str:
    """The walk in words: how far it is the model's, where it leaves, what that does."""
    shown = prompt.name if pack.held_back else f"“{prompt.text}”"
    lines = [words.through(shown, pack.title)]
    if walk.missing:
        lines.append(words.still_to_do([stage.number for stage in walk.missing]))
    lines += _where_it_leaves(walk)
    if walk.error is not None:
        lines.append(stopped(walk, pack.held_back))
    model = pack.activation(prompt.name, "probs.last")
    if not pack.held_back:
        lines.append(words.next_of_model(_guesses(model, pack)))
    if isinstance(walk.probs, Tensor) and walk.probs.shape == model.shape:
        lines.append(words.next_of_walk(_guesses(walk.probs, pack)))
    return "\n".join(lines)


def _where_it_leaves(walk: Walk) -> Iterator[str]:
    held = [output for output in walk.outputs if output.distance is not None]
    departure = walk.departure
    if departure is None:
        if held:
            yield words.all_are_the_model_s(len(held), held[0].name, held[-1].name)
        return
    before = held[: held.index(departure)]
    if before:
        yield words.are_the_model_s(before[0].name, before[-1].name)
    finite = departure.distance is not None and isfinite(departure.distance)
    allowed = size(departure.allowed) if finite else None
    stage = Stage(departure.stage)
    yield words.comes_from(leaving(departure), allowed, stage.number, stage.file)


def _guesses(probs: Tensor, pack: Pack) -> str:
    """The likeliest tokens as text, with their probabilities."""
    best = probs.detach().float().topk(_BEST)
    spelled = pack.vocabulary.id_to_bytes
    return "   ".join(
        f"{spelled.get(token, b'?').decode('utf-8', errors='replace')!r} {percent(p)}"
        for token, p in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    )
