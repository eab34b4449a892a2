"""Somebody's own walks, held against the model's at each station."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from token_journey.journey.journey import Run, State, Taken
from token_journey.journey.stations import STATIONS, Station

_LAYER = re.compile(r"blocks\.(\d+)\.")
_BY_DECODER = " by `decoder`"


def made_at(station: Station, name: str, run: Run) -> Taken | None:
    """What a run made of a tensor; at the end of all layers that is what stage 7 made of it."""
    alone = run.taken.get(name + _BY_DECODER) if station.key == "layers" else None
    return alone or run.taken.get(name)


def states(run: Run, last: int) -> dict[str, State]:
    """How a run did at each station that has a stage, by its key.

    last: the number of the last layer
    """
    made = {s.key: dict(_made(s, run, last)) for s in STATIONS if s.stage is not None}
    keys = [key for key in made if made[key]]
    reached = list(made).index(keys[-1]) if keys else -1
    found = {}
    for place, (station, tensors) in enumerate(
        (s, made[s.key]) for s in STATIONS if s.stage is not None
    ):
        on_its_way = run.stopped is None or place <= reached
        found[station.key] = _state(station, tensors, run, on_its_way)
    return found


def _state(station: Station, made: dict[str, Taken], run: Run, reached: bool) -> State:
    assert station.stage is not None
    by = run.by[station.stage]
    wrong = next(((name, each) for name, each in made.items() if not each.holds), None)
    if wrong is not None:
        where = _LAYER.match(wrong[0])
        layer = int(where[1]) if where else None
        first = any(name == run.first.partition(_BY_DECODER)[0] for name in made)
        return State("differs", by, wrong[1].difference, layer, first)
    if run.stopped is not None and station.stage == run.stopped and not made:
        return State("stopped", by, first=not run.first)
    if not reached:
        return State("unreached", by)
    if station.key == "generate" and run.wrote_other:
        return State("differs", by, first=not run.first)
    if made:
        return State("same", by, max(each.difference for each in made.values()))
    return State("unknown", by)


def _made(station: Station, run: Run, last: int) -> Iterator[tuple[str, Taken]]:
    """Its tensors in all layers, first to last."""
    for name in _names(station.seen, last):
        made = made_at(station, name, run)
        if made is not None:
            yield name, made


def _names(seen: Sequence[str], last: int) -> Iterator[str]:
    for layer in range(last + 1):
        for name in seen:
            if "{layer}" in name:
                yield name.format(layer=layer)
            elif not layer:
                yield name.format(last=last)
