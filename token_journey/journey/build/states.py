"""Somebody's own walks, held against the model's at each station."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from token_journey.journey.journey import Run, State, Taken
from token_journey.journey.stations import STATIONS, Station

_LAYER = re.compile(r"blocks\.(\d+)\.")
_BY_DECODER = " by `decoder`"
# What is made at these stations never leaves the function that makes it.
_INSIDE = ("qkv", "final_norm")


def _own() -> dict[str, tuple[str, ...]]:
    """What each station makes: a tensor that is also seen at a later one is its input there."""
    found: dict[str, tuple[str, ...]] = {}
    before: set[str] = set()
    for station in STATIONS:
        last = station.key == "layers"  # what stage 7 makes of all of them
        found[station.key] = tuple(n for n in station.seen if last or n not in before)
        before.update(station.seen)
    return found


_OWN = _own()


def made_at(station: Station, name: str, run: Run) -> Taken | None:
    """What a run made of a tensor; at the end of all layers that is what stage 7 made of it."""
    alone = run.taken.get(name + _BY_DECODER) if station.key == "layers" else None
    return alone or run.taken.get(name)


def states(run: Run, last: int) -> dict[str, State]:
    """How a run did at each station that has a stage, by its key.

    last: the number of the last layer
    """
    stations = [station for station in STATIONS if station.stage is not None]
    made = {station.key: dict(_made(station, run, last)) for station in stations}
    reached = max((n for n, s in enumerate(stations) if made[s.key]), default=-1)
    stop = _stop(stations, made, run)
    return {
        station.key: _state(
            station,
            made[station.key],
            run,
            stopped=station is stop,
            reached=run.stopped is None or place <= reached,
        )
        for place, station in enumerate(stations)
    }


def _stop(stations: Sequence[Station], made: Mapping[str, object], run: Run) -> Station | None:
    """Where a run ended early: the first station of that stage at which nothing was made."""
    own = [s for s in stations if s.stage == run.stopped and s.key not in _INSIDE]
    return next((s for s in own if not made[s.key]), own[-1] if own else None)


def _state(
    station: Station, made: Mapping[str, Taken], run: Run, stopped: bool, reached: bool
) -> State:
    assert station.stage is not None
    by = run.by[station.stage]
    wrong = next(((name, each) for name, each in made.items() if not each.holds), None)
    if wrong is not None:
        where = _LAYER.match(wrong[0])
        layer = int(where[1]) if where else None
        first = any(name == run.first.partition(_BY_DECODER)[0] for name in made)
        return State("differs", by, wrong[1].difference, layer, first)
    if stopped:
        return State("stopped", by, first=not run.first)
    if not reached:
        return State("unreached", by)
    if station.key == "generate" and run.wrote_other:
        return State("differs", by, first=not run.first)
    if made:
        return State("same", by, max(each.difference for each in made.values()))
    known = station.key == "generate"
    return State("same" if known else "unknown", by)


def _made(station: Station, run: Run, last: int) -> Iterator[tuple[str, Taken]]:
    """Its tensors in all layers, first to last."""
    for name in _names(_OWN[station.key], last):
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
