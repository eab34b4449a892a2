"""What a profile says, as a table and in words."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import compress

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from token_journey.cost.forward import (
    PARTS,
    PassStep,
    at,
    complete,
    forward_pass,
    measured_at,
    measured_crossing,
    seconds_of,
)
from token_journey.cost.profile import REFERENCE, Profile
from token_journey.cost.workload import AITANA, config_of
from token_journey.llama import formulas
from token_journey.numbers import percent

HEADS = (
    ("step", "left"),
    ("params", "right"),
    ("FLOPs", "right"),
    ("bytes", "right"),
    ("time", "right"),
    ("share", "right"),
    ("of limit", "right"),
    ("×ref", "right"),
)


# What a formula says, and a narrow console has no room for, in this order.
_BY_FORMULA = ("bytes", "params", "FLOPs")


def print_table(
    console: Console, profile: Profile, by: str, tokens: int, only: frozenset[str]
) -> None:
    """The table of a forward pass, with as many columns as there is room for."""
    endless = console.options.update(max_width=1000)
    for left_out in range(len(_BY_FORMULA) + 1):
        made = _table(profile, by, tokens, only, _BY_FORMULA[:left_out])
        if console.measure(made, options=endless).maximum <= console.width:
            break
    console.print(made)


def _table(
    profile: Profile, by: str, tokens: int, only: frozenset[str], without: Collection[str]
) -> Table:
    shown = [head not in without for head, _ in HEADS]
    made = Table(
        title=title(profile, by, tokens),
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
        pad_edge=False,
    )
    for head, side in compress(HEADS, shown):
        made.add_column(head, justify="left" if side == "left" else "right", no_wrap=True)
    for cells in table_rows(profile, by, tokens, only):
        made.add_row(*compress(cells, shown))
    return made


def title(profile: Profile, by: str, tokens: int) -> str:
    machine = profile.machine
    return (
        f"One forward pass of {tokens} tokens through Aitana-2B-S, as {by} has it "
        f"({machine.dtype}, {machine.device}, {machine.threads} threads; at best "
        f"{machine.flops_per_second / 1e9:.0f} GFLOP/s and {machine.bytes_per_second / 1e9:.0f} "
        "GB/s)"
    )


def table_rows(
    profile: Profile, by: str, tokens: int, only: frozenset[str] = frozenset()
) -> Iterator[tuple[str, ...]]:
    rows = forward_pass(profile, by, tokens)
    whole = sum(row.seconds for row in rows)
    for row in rows:
        if not only or row.step in only:
            yield _cells(row, whole if complete(rows) else None)
    if complete(rows) and not only:
        parameters = formulas.parameters(config_of(AITANA))
        cost = sum((row.cost for row in rows), formulas.NOTHING)
        yield (
            "all of it",
            count(parameters),
            count(cost.flops),
            count(cost.bytes),
            duration(whole),
            "100 %",
            "",
            "",
        )


def _cells(row: PassStep, whole: float | None) -> tuple[str, ...]:
    name = row.step if row.times == 1 else f"{row.times} {row.step}"
    bound = {"compute": "comp.", "memory": "mem."}[row.one.machine.bound(row.one.cost)]
    slower = row.times_reference
    return (
        name,
        count(row.cost.parameters) if row.cost.parameters else "",
        count(row.cost.flops),
        count(row.cost.bytes),
        duration(row.seconds),
        "" if whole is None else percent(row.seconds / whole, 0),
        f"{percent(row.one.share_of_limit, 0)} {bound}",
        "" if slower is None else f"{slower:.2f}",
    )


def words(profile: Profile, by: str, tokens: int) -> list[str]:
    """The answer to "where is the computational cost?", as far as it was measured."""
    said = [_costliest(profile, by, tokens), _head(profile, by), _crossing(profile, by)]
    said += [
        _reference(profile, by, tokens),
        _cache(profile, by),
        _shared_heads(profile, by),
        _layer(profile, by, tokens),
        _rounds(profile),
    ]
    return [sentence for sentence in said if sentence]


def _costliest(profile: Profile, by: str, tokens: int) -> str:
    rows = forward_pass(profile, by, tokens)
    if not complete(rows):
        return ""
    whole = sum(row.seconds for row in rows)
    most = max(rows, key=lambda row: row.seconds)
    shares = ", ".join(
        f"{part} {percent(seconds_of(rows, part) / whole, 0)}"
        for part in dict.fromkeys(PARTS.values())
    )
    share = percent(most.seconds / whole, 0)
    return f"At {tokens} tokens the costliest step is `{most.step}` with {share}: {shares}."


def _reference(profile: Profile, by: str, tokens: int) -> str:
    if not any(row.reference for row in forward_pass(profile, by, tokens)):
        return ""
    return (
        "“of limit” is how near a step comes to the machine's best rate of products (comp.) or "
        f"of memory (mem.), “×ref” how long it takes beside {REFERENCE} in the same run."
    )


def _head(profile: Profile, by: str) -> str:
    sizes = measured_at(profile, by, "lm_head")
    found = [(t, rows) for t in sizes if complete(rows := forward_pass(profile, by, t))]
    if not found:
        return ""
    tokens, rows = found[0]
    share = seconds_of(rows, "lm_head") / sum(row.seconds for row in rows)
    return f"At {tokens} tokens lm_head takes {percent(share, 0)} of the time."


def _crossing(profile: Profile, by: str) -> str:
    measured = measured_crossing(profile, by)
    if measured is None:
        return ""
    largest = measured_at(profile, by, "scores")[-1]
    how = "measured" if measured <= largest else f"continued from what was measured up to {largest}"
    return (
        f"Attention overtakes the MLP at about {round(measured, -2):,.0f} tokens ({how}); "
        f"counted in operations, at {formulas.crossing(config_of(AITANA)):,.0f}."
    )


def _cache(profile: Profile, by: str) -> str:
    sizes = measured_at(profile, by, "token without cache")
    if not sizes:
        return ""
    with_cache = profile.get(by, "token with cache", at(sizes[-1]))
    without = profile.get(by, "token without cache", at(sizes[-1]))
    if with_cache is None or without is None:
        return ""
    return (
        f"After {sizes[-1]} tokens one more takes {duration(with_cache.seconds)} with a key/value "
        f"cache and {duration(without.seconds)} without: "
        f"{without.seconds / with_cache.seconds:.1f} times as long."
    )


def _shared_heads(profile: Profile, by: str) -> str:
    measured = profile.shared_heads(by)
    if not measured:
        return ""
    tokens = measured[0].size.tokens
    held = [formulas.cache_bytes(m.size.config, tokens) for m in measured]
    caches = ", ".join(f"{cache / 1e6:,.0f} MB" for cache in held)
    seconds = ", ".join(duration(m.seconds) for m in measured)
    return (
        f"With 16, 4 and 1 key/value heads the cache of {tokens} tokens takes "
        f"{caches}, and the next token {seconds}."
    )


def _layer(profile: Profile, by: str, tokens: int) -> str:
    ours = profile.get(by, "decoder layer", at(tokens))
    others = {
        name: theirs.seconds / ours.seconds
        for name in (REFERENCE, "transformers-sdpa")
        if ours and (theirs := profile.get(name, "decoder layer", at(tokens)))
    }
    if not others or ours is None:
        return ""
    said = " and ".join(f"{ratio:.2f} times that of {name}" for name, ratio in others.items())
    return f"A whole layer takes {duration(ours.seconds)}: its speed is {said}."


def _rounds(profile: Profile) -> str:
    if not profile.rounds:
        return ""
    least, most = profile.rounds[0], profile.rounds[-1]
    if most == 1:
        return "Each time is of one round: there was no time for more."
    rounds = f"{least} to {most}" if least < most else f"{most}"
    return f"Each time is the best of {rounds} rounds: as many as there was time for."


def count(number: float) -> str:
    """Three digits: 33.4 M, 1.05 G, 5."""
    for unit, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number:.0f}"


def duration(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.2f} s"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds * 1e6:.3g} µs"
