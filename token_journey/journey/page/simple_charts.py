"""The simple charts of a page: bars and lines, each with its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from token_journey.journey.build.parameters import shares_of_parameters
from token_journey.journey.journey import WORST, Candidate, Journey, Seen
from token_journey.journey.spelling import visible
from token_journey.numbers import number, percent


@dataclass(frozen=True)
class ChartRow:
    """A row of a chart's numbers; `token` is the index of the shown token it belongs to."""

    label: str
    values: tuple[float, ...]
    token: int | None = None


@dataclass(frozen=True)
class SimpleChart:
    """A table that is drawn.

    `kind` is "bars" (one column) or "lines" (a line for each column, over the rows). `corner`
    says what rows are, and `unit` is "%" for shares, "count" for whole numbers. `over_tokens`
    says that columns are the tokens, and `growing` that numbers grow so much that only a
    logarithm can show them.
    """

    name: str
    kind: str
    caption: str
    corner: str
    columns: tuple[str, ...]
    rows: tuple[ChartRow, ...]
    unit: str = ""
    over_tokens: bool = False
    growing: bool = False

    @property
    def head(self) -> list[str]:
        return [self.corner, *map(visible, self.columns)]

    @property
    def table(self) -> list[list[str]]:
        """The rows of its table, each behind its name."""
        return [[visible(row.label), *map(self._text, row.values)] for row in self.rows]

    def _text(self, value: float) -> str:
        if math.isnan(value):
            return "—"
        if self.unit == "%":
            return percent(value)
        return f"{value:,.0f}" if self.unit == "count" else number(value)


def simple_charts(journey: Journey) -> dict[str, list[SimpleChart]]:
    """All of them, by the step where they stand. What is missing is not drawn."""
    found: dict[str, list[SimpleChart]] = {}
    for key, each in _all(journey):
        if each is not None:
            found.setdefault(key, []).append(each)
    return found


def _all(journey: Journey) -> Iterator[tuple[str, SimpleChart | None]]:
    yield "model", _parameters(journey)
    for key, norm in (("norm1", "ln1"), ("norm2", "ln2")):
        yield key, _scales(journey, key, f"{norm}.scale")
    yield "final_norm", _scales(journey, "final_norm", "ln_final.scale")
    yield "layers", _length(journey)
    yield "layers", _turn(journey)
    yield "lm_head", _extremes(journey)
    yield "probs", _probabilities(journey)
    yield "lens", _chosen(journey)
    yield "cost", _costs(journey)


def _labels(journey: Journey) -> tuple[str, ...]:
    return tuple(f"{token.place} {token.piece.strip() or '␣'}" for token in journey.tokens)


def _parameters(journey: Journey) -> SimpleChart:
    rows = tuple(ChartRow(name, (count,)) for name, count in shares_of_parameters(journey.config))
    caption = "Where the parameters sit"
    return SimpleChart("parameters", "bars", caption, "part", ("parameters",), rows, unit="count")


def _find(journey: Journey, key: str, name: str) -> Seen | None:
    """An activation of a step with at least some of its numbers, all tokens among them."""
    for step in journey.steps:
        for seen in step.seen:
            if step.key == key and seen.name.split("blocks.")[-1].endswith(name):
                return seen if seen.value is not None and 0 not in seen.visible else None
    return None


def _scales(journey: Journey, key: str, name: str) -> SimpleChart | None:
    seen = _find(journey, key, name)
    if seen is None or seen.value is None:
        return None
    values = seen.value.flatten().tolist()
    rows = tuple(
        ChartRow(label, (value,), token)
        for token, (label, value) in enumerate(zip(_labels(journey), values, strict=True))
    )
    caption = "By what each token's vector is divided: its root mean square"
    return SimpleChart(key, "bars", caption, "token", ("RMS",), rows)


def _growth(
    journey: Journey, name: str, caption: str, values: Tensor, growing: bool = False
) -> SimpleChart:
    names = ("embedding", *(f"layer {i}" for i in range(len(values) - 1)))
    rows = tuple(
        ChartRow(label, tuple(vector.tolist())) for label, vector in zip(names, values, strict=True)
    )
    return SimpleChart(
        name, "lines", caption, "after", _labels(journey), rows, over_tokens=True, growing=growing
    )


def _length(journey: Journey) -> SimpleChart | None:
    if journey.growth is None:
        return None
    of = f" ({journey.growth.of})" if journey.growth.of else ""
    caption = f"How long each token's vector is{of}"
    return _growth(journey, "length", caption, journey.growth.length, growing=True)


def _turn(journey: Journey) -> SimpleChart | None:
    if journey.growth is None:
        return None
    caption = "How much of its first direction is left: the cosine to the embedding"
    return _growth(journey, "turn", caption, journey.growth.from_start)


def _extremes(journey: Journey) -> SimpleChart | None:
    if journey.logits is None:
        return None
    logits = journey.logits.float()
    order = torch.argsort(logits, descending=True, stable=True).tolist()
    chosen = dict.fromkeys((*order[:WORST], *order[-WORST:]))
    rows = tuple(ChartRow(_named(journey, i), (float(logits[i]),)) for i in chosen)
    caption = f"The {WORST} best and the {WORST} worst of {len(logits):,} tokens"
    return SimpleChart("logits", "bars", caption, "token", ("logit",), rows)


def _named(journey: Journey, token: int) -> str:
    piece = journey.pieces.get(token)
    return f"id {token}" if piece is None else f"“{piece}”"


def _probabilities(journey: Journey) -> SimpleChart | None:
    if not journey.best:
        return None
    rows = tuple(ChartRow(_candidate(each), (each.probability,)) for each in journey.best)
    caption = "The likeliest next tokens"
    return SimpleChart("best", "bars", caption, "token", ("probability",), rows, unit="%")


def _candidate(each: Candidate) -> str:
    return f"“{each.piece}”"


def _chosen(journey: Journey) -> SimpleChart | None:
    if not journey.lens or not journey.best:
        return None
    rows = tuple(ChartRow(after(each.layer), (each.chosen,)) for each in journey.lens)
    caption = f"How likely “{journey.best[0].piece}”, the final answer, was after each layer"
    return SimpleChart("chosen", "lines", caption, "after", ("probability",), rows, unit="%")


def after(layer: int) -> str:
    """What a row of the lens is called."""
    return "embedding" if layer < 0 else f"layer {layer}"


def _costs(journey: Journey) -> SimpleChart | None:
    if not journey.costs:
        return None
    rows = tuple(ChartRow(name, (value,)) for name, value in _largest(journey.costs))
    caption = "Shares of all operations of this walk"
    return SimpleChart("cost", "bars", caption, "step", ("share",), rows, unit="%")


def _largest(costs: Sequence[tuple[str, float]]) -> Sequence[tuple[str, float]]:
    return [(name, value) for name, value in costs if value > 0]
