"""Where a check runs: every place in the packs where a real model computed just this."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from token_journey.checking.comparison import Comparison, compare
from token_journey.llama.config import ModelConfig
from token_journey.llama.names import describe
from token_journey.packs.manifest import (
    HEADS,
    KEY_VALUE_HEADS,
    KEY_VALUE_ROWS,
    NEURONS,
    OUTPUTS,
    QUERY_ROWS,
    Entry,
    Prompt,
)
from token_journey.packs.pack import Pack
from token_journey.words import walk as words

_WEIGHT = ("model.", "lm_head.")
# The parts that a slice may hold of a layer: which axes they cut, and by which of its lists.
_PARTS = {
    "heads": {"head": HEADS, "key/value head": KEY_VALUE_HEADS},
    "neurons": {"neuron": NEURONS},
    "outputs": {"hidden": OUTPUTS},
}
_ROWS = {"heads": {QUERY_ROWS, KEY_VALUE_ROWS}}


def captured(
    *,
    partial: bool = False,
    vocabulary: bool = False,
    part: str = "",
    without: Sequence[str] = (),
    **names: str,
) -> pytest.MarkDecorator:
    """Run the check wherever a pack holds all of `names`; several may be stacked.

    One prompt of one pack is one test, in which `case` is each layer in turn.

    `{l}` stands for every layer, `{last}` for the last one. A name that starts
    with `model.` or `lm_head.` is a weight, any other an activation. `partial`
    admits tensors of which a pack holds only some indices. `vocabulary` asks for
    a tokenizer in the pack and for the prompt's words. `part` is for slices alone:
    the check can do with some "heads", "neurons" or "outputs" of a layer, and gets
    the same ones of every tensor. `without` names what the model must not have
    beyond the kata's stages, BIASES or SCALED_ROPE; a weight whose bias the stages
    know nothing of is never handed out.
    """
    return pytest.mark.captured(
        partial=partial, vocabulary=vocabulary, part=part, without=tuple(without), **names
    )


@dataclass(frozen=True)
class Case:
    """One prompt of one pack, at one layer where there is one.

    `case.x` is a fresh copy of the tensor that the check called `x`.
    """

    pack: Pack
    prompt: Prompt
    layer: int | None
    names: Mapping[str, str]
    part: str = ""

    def __getattr__(self, alias: str) -> Tensor:
        if alias.startswith("__"):
            raise AttributeError(alias)
        name = self.names[alias]
        if name.startswith(_WEIGHT):
            return self.pack.weight(name)
        value, cut = self.pack.activation(self.prompt.name, name), self.entry(alias).visible
        for axis, called in enumerate(describe(name).axes):
            if self.part and called in _PARTS[self.part] and axis not in cut:
                here = self.pack.index_lists[_PARTS[self.part][called]]
                value = value.index_select(axis, torch.tensor(here))
        return value

    @property
    def heads(self) -> tuple[int, int]:
        """How many query heads and how many key/value heads are here."""
        if self.part == "heads":
            lists = self.pack.index_lists
            return len(lists[HEADS]), len(lists[KEY_VALUE_HEADS])
        return self.config.num_attention_heads, self.config.num_key_value_heads

    @property
    def config(self) -> ModelConfig:
        return self.pack.config

    @property
    def layer_weights(self) -> dict[str, Tensor]:
        assert self.layer is not None
        return self.pack.layer_weights(self.layer)

    @property
    def token_ids(self) -> Tensor:
        return torch.tensor(self.prompt.ids)

    @property
    def positions(self) -> Tensor:
        """Where each token of the prompt stands."""
        return torch.arange(self.prompt.start, self.prompt.start + len(self.prompt.ids))

    @property
    def where(self) -> str:
        layer = "" if self.layer is None else f", layer {self.layer}"
        text = self.prompt.name if self.pack.held_back else f"“{_short(self.prompt.text)}”"
        return f"{self.pack.title}{layer}, {text}"

    @property
    def sizes(self) -> dict[str, int]:
        """The numbers that a wrong factor may come from, by what they are called."""
        config = self.config
        return {
            "head dim": config.head_dim,
            "hidden size": config.hidden_size,
            "number of query heads": config.num_attention_heads,
            "number of key/value heads": config.num_key_value_heads,
            "number of neurons": config.intermediate_size,
            "number of tokens": len(self.prompt.ids),
        }

    def entry(self, alias: str) -> Entry:
        name = self.names[alias]
        if name.startswith(_WEIGHT):
            return self.pack.weight_entry(name)
        return self.pack.activation_entry(self.prompt.name, name)

    def expect(
        self,
        alias: str,
        actual: Any,
        *,
        tolerance: float | Tensor | None = None,
        end_to_end: bool = False,
    ) -> None:
        """Hold a result against the captured activation of that alias."""
        about = describe(self.names[alias])
        entry = self.entry(alias)
        if tolerance is None:
            tolerance = entry.end_to_end if end_to_end else entry.tolerance
        compare(
            Comparison(
                what=about.meaning,
                actual=actual,
                expected=getattr(self, alias),
                tolerance=tolerance,
                axes=about.axes,
                where=self.where,
                held_back=self.pack.held_back,
                sizes=self.sizes,
            )
        )


def cases(packs: Sequence[Pack], marks: Sequence[pytest.Mark]) -> dict[str, list[Case]]:
    """Every place in the packs where all that a check's marks name is there.

    returns: `<pack>-<prompt>` -> its cases, one a layer and mark, in the order of the walk
    """
    found = {
        f"{pack.name}-{prompt.name}": [
            case
            for mark in reversed(marks)  # the decorator that stands first comes first
            for case in _cases_of(pack, prompt, dict(mark.kwargs))
        ]
        for pack in packs
        for prompt in pack.prompts.values()
    }
    return {name: here for name, here in found.items() if here}


def only_in_print(marks: Sequence[pytest.Mark]) -> bool:
    """Whether a check is about figures as they were printed: no capture has `*_flat`."""
    return all(
        any(isinstance(name, str) and name.endswith("_flat") for name in mark.kwargs.values())
        for mark in marks
    )


def _cases_of(pack: Pack, prompt: Prompt, names: dict[str, Any]) -> Iterator[Case]:
    partial, vocabulary = names.pop("partial"), names.pop("vocabulary")
    part, without = names.pop("part"), names.pop("without")
    if vocabulary and not (pack.has_vocabulary and prompt.words):
        return
    if set(without) & set(pack.beyond):
        return
    lists = {*_PARTS[part].values(), *_ROWS.get(part, ())} if part else set()
    if not lists <= set(pack.index_lists):
        return
    last = pack.config.num_hidden_layers - 1
    by_layer = any("{l}" in name for name in names.values())
    for layer in range(last + 1) if by_layer else [None]:
        filled = {alias: name.format(l=layer, last=last) for alias, name in names.items()}
        if all(_holds(pack, prompt, name, partial, lists) for name in filled.values()):
            yield Case(pack, prompt, layer, filled, part)


def _holds(pack: Pack, prompt: Prompt, name: str, partial: bool, lists: set[str]) -> bool:
    """lists: those by which tensors may be cut"""
    if name.startswith(_WEIGHT):
        bias = name.removesuffix(".weight") + ".bias"
        if not pack.has_weight(name) or pack.has_weight(bias):
            return False
        entry = pack.weight_entry(name)
    else:
        if not pack.has_activation(prompt.name, name):
            return False
        entry = pack.activation_entry(prompt.name, name)
    return partial or all(entry.cut_by.get(axis) in lists for axis in entry.visible)


@dataclass(frozen=True)
class NotOnThisPack:
    """Stands for the cases of a check where a pack that was asked for has none."""

    pack: Pack

    def __str__(self) -> str:
        pack, reasons = self.pack, []
        if pack.manifest.get("sliced"):
            reasons.append(words.is_a_slice())
        elif len(pack.layers) < pack.config.num_hidden_layers:
            reasons.append(words.has_some_layers(len(pack.layers), pack.config.num_hidden_layers))
        if pack.beyond:
            reasons.append(words.goes_beyond(pack.beyond))
        return words.not_on(pack.name, reasons)


def _short(text: str, most: int = 40) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
