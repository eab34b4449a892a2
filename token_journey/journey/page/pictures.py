"""Tensors as pictures: the first and the last numbers of each token, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from token_journey.journey.excerpt import OVER_TOKENS, indices
from token_journey.journey.journey import Journey, Known, Seen
from token_journey.journey.page.packing import packed

# Of a long axis a picture shows as many numbers at each end; of a matrix's rows fewer.
_ENDS, _ROWS = 8, 4


@dataclass(frozen=True)
class Picture:
    """A tensor's numbers as a picture shows them: one for each head, rows × columns.

    `places` are the indices of its columns, and `rows` those of a matrix's rows, or None where
    a row is a token's.
    """

    name: str
    heads: int
    places: list[int]
    rows: list[int] | None
    value: Tensor


def picture(seen: Seen) -> Picture | None:
    """Nothing for a vector, for scores, which have another, and for what is not known."""
    if seen.known is None or seen.value is None or not seen.value.numel():
        return None
    if len(seen.axes) < 2 or "key" in seen.axes or seen.shape[-1] < 2:
        return None
    cut, places = _ends(seen.value, len(seen.axes) - 1, seen, _ENDS)
    rows = None
    if seen.axes[-2] not in OVER_TOKENS:
        cut, rows = _ends(cut, len(seen.axes) - 2, seen, _ROWS)
    heads = len(cut) if cut.ndim == 3 else 1
    return Picture(seen.name, heads, places, rows, cut)


def _ends(value: Tensor, axis: int, seen: Seen, ends: int) -> tuple[Tensor, list[int]]:
    places = list(indices(seen, axis))
    size = len(places)
    kept = range(size) if size <= 2 * ends else [*range(ends), *range(size - ends, size)]
    return value.index_select(axis, torch.tensor(list(kept))), [places[i] for i in kept]


def pictures(journey: Journey) -> dict[str, dict[str, Any]]:
    """By a tensor's name all that draws it; `taken` is what runs made where that differs."""
    found = {}
    for seen in (seen for step in journey.steps for seen in step.seen):
        drawn = picture(seen)
        if drawn is not None:
            found[drawn.name] = {
                "heads": drawn.heads,
                "places": drawn.places,
                "rows": drawn.rows,
                "values": packed(drawn.value),
                "taken": dict(_taken(seen)),
            }
    return found


def _taken(seen: Seen) -> Iterator[tuple[int, str]]:
    """By a run's place its numbers, at the same places; none where all is the model's."""
    for run, each in enumerate(seen.taken):
        if each is None or each.holds or each.value is None:
            continue
        theirs = picture(Seen(seen.name, seen.meaning, seen.axes, seen.shape, Known(each.value)))
        if theirs is not None:
            yield run, packed(theirs.value)
