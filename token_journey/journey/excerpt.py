"""The first and last numbers of a tensor, row by row, as a page shows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from torch import Tensor

from token_journey.journey.journey import Journey, Seen, Token
from token_journey.numbers import number, row

OVER_TOKENS = ("token", "query", "key")
# A part of a tensor with more numbers than these is cut again.
_PRINTED = 10


@dataclass(frozen=True)
class Line:
    """A vector of a tensor: where it stands and its numbers; no numbers where lines are left out.

    `index` is the token's among those shown, or -1 where the line is not a token's.
    """

    label: str
    token: Token | None
    index: int
    numbers: str


def lines(seen: Seen, journey: Journey, short: bool = False) -> list[Line]:
    """The vectors along the last axis that stand first and last on each other axis.

    short: three numbers of each, also where a part of a vector is all that there is
    """
    value = seen.value
    if value is None or value.numel() == 0:
        return []
    if value.ndim <= 1:
        return [Line("all", None, -1, numbers(value, seen, short))]
    whole = bool(journey.facts)  # of what was published nothing is left out
    places = [range(s) if whole else _ends(s, value.ndim) for s in value.shape[:-1]]
    found: list[Line] = []
    before: tuple[int, ...] = ()
    for index in product(*places):
        if before and index[:-1] == before[:-1] and index[-1] != before[-1] + 1:
            found.append(Line("…", None, -1, ""))
        before = index
        found.append(_line(index, value[index], seen, journey, short))
    return found


def _ends(size: int, axes: int) -> Sequence[int]:
    """Which places of an axis are shown, of a tensor with so many axes."""
    first = 2 if axes == 2 else 1
    return range(size) if size <= first + 2 else [*range(first), size - 1]


def _line(index: tuple[int, ...], value: Tensor, seen: Seen, journey: Journey, short: bool) -> Line:
    labels, token, where = [], None, -1
    for axis, place in enumerate(index):
        if seen.axes[axis] in OVER_TOKENS:
            token, where = journey.tokens[place], place
        else:
            labels.append(f"{short_name(seen.axes[axis])} {indices(seen, axis)[place]}")
    return Line(", ".join(labels), token, where, numbers(value, seen, short))


def short_name(axis: str) -> str:
    """What an axis is called where there is little room."""
    return {"key/value head": "kv"}.get(axis, axis)


def indices(seen: Seen, axis: int) -> Sequence[int]:
    """What places of the whole tensor `value` holds along an axis."""
    return seen.visible.get(axis) or range(seen.shape[axis])


def numbers(value: Tensor, seen: Seen, short: bool = False) -> str:
    """`[0.8511, 0.7741, …, 0.9303]`; of a part of a vector all that there is, and its gaps."""
    places = seen.visible.get(len(seen.axes) - 1)
    if short or not places or len(places) > _PRINTED:
        return row(value)
    return "[" + ", ".join(_with_gaps(value.tolist(), places, seen.shape[-1])) + "]"


def _with_gaps(values: Sequence[float], places: Sequence[int], size: int) -> Iterator[str]:
    for value, place, before in zip(values, places, (-1, *places), strict=False):
        if place != before + 1:
            yield "…"
        yield number(value)
    if places[-1] != size - 1:
        yield "…"


def how_much(seen: Seen) -> str:
    """`10 of 2048 printed`, for each axis that is not there as a whole; nothing otherwise."""
    parts = (
        f"{len(places)} of {seen.shape[axis]:,} along “{seen.axes[axis]}”"
        for axis, places in sorted(seen.visible.items())
        if len(places) < seen.shape[axis]
    )
    return ", ".join(parts)
