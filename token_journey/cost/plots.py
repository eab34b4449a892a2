"""Five plots of a profile."""

from __future__ import annotations

import io
from collections.abc import Callable
from html import escape
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from PIL import Image

from token_journey.cost.forward import (
    PARTS,
    PassStep,
    at,
    complete,
    forward_pass,
    measured_at,
    measured_crossing,
    of_a_layer,
    seconds_of,
)
from token_journey.cost.profile import Profile
from token_journey.cost.report import duration
from token_journey.cost.workload import AITANA, config_of
from token_journey.llama import formulas
from token_journey.llama.formulas import ATTENTION, MLP

# Okabe and Ito's colours, which the colour-blind can tell apart.
BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#767676"
_NAMED_AT = 512  # tokens
_COLOURS = {"norms": GREY, "attention": BLUE, "MLP": ORANGE, "lm_head": GREEN}

matplotlib.rcParams.update(
    {"svg.fonttype": "none", "svg.hashsalt": "cost", "font.size": 9, "axes.titlesize": 10}
)


def where_the_time_goes(axes: Any, profile: Profile, by: str) -> str:
    """A bar for each length of the sentence, cut into the parts of the model."""
    sizes = [t for t in measured_at(profile, by, "norm") if complete(forward_pass(profile, by, t))]
    for place, tokens in enumerate(sizes):
        rows = forward_pass(profile, by, tokens)
        whole, left = sum(row.seconds for row in rows), 0.0
        for part in dict.fromkeys(PARTS.values()):
            share = 100 * seconds_of(rows, part) / whole
            axes.barh(place, share, left=left, color=_COLOURS[part], label=part)
            if share > 8:
                axes.text(
                    left + share / 2, place, f"{share:.0f} %", ha="center", va="center", color="w"
                )
            left += share
        axes.text(101, place, duration(whole), va="center")
    axes.set_yticks(range(len(sizes)), [f"{tokens} tokens" for tokens in sizes])
    axes.set_xlim(0, 128)  # room for the seconds
    axes.set_xticks(range(0, 101, 20))
    axes.set_xlabel("share of the time of one forward pass, %")
    handles, labels = axes.get_legend_handles_labels()
    first = dict(zip(labels[::-1], handles[::-1], strict=True))
    axes.legend(
        [first[p] for p in _COLOURS if p in first],
        [p for p in _COLOURS if p in first],
        ncols=4,
        loc="lower center",
        bbox_to_anchor=(0.45, 1.0),
        frameon=False,
    )
    return "Where the time of one forward pass goes"


def as_the_sentence_grows(axes: Any, profile: Profile, by: str) -> str:
    """Attention and the MLP of one layer, measured, and what their operations alone would take."""
    sizes = measured_at(profile, by, "scores")
    grid = np.geomspace(4, 32768, 60)
    rate = profile.machine.flops_per_second
    for part, step, steps, colour in (
        ("attention", "attention", ATTENTION, BLUE),
        ("MLP", "swiglu", MLP, ORANGE),
    ):
        found = [(t, of_a_layer(profile, by, dict(steps), t)) for t in sizes]
        points = [(t, 1e3 * s) for t, s in found if s is not None]
        axes.plot(*zip(*points, strict=True), "o", color=colour, label=f"{part}, measured")
        operations = [formulas.cost(step, config_of(AITANA), int(t)).flops for t in grid]
        computed = [1e3 * flops / rate for flops in operations]
        axes.plot(grid, computed, "-", lw=1, color=colour, label=f"{part}, its operations at best")
    crossing = formulas.crossing(config_of(AITANA))
    axes.axvline(crossing, ls=":", lw=1, color=GREY)
    axes.text(crossing, 0.02, f" {crossing:,.0f}\n computed", transform=axes.get_xaxis_transform())
    measured = measured_crossing(profile, by)
    if measured is not None:
        axes.axvline(measured, ls="--", lw=1, color="k")
        axes.text(
            measured,
            0.16,
            f"{measured:,.0f} \nmeasured ",
            ha="right",
            transform=axes.get_xaxis_transform(),
        )
    axes.set(xscale="log", yscale="log", xlabel="tokens", ylabel="ms a layer")
    axes.legend(frameon=False, fontsize=8)
    return "Attention against MLP as the sentence grows"


def roofline(axes: Any, profile: Profile, by: str) -> str:
    """How fast each step is, under what the machine could do."""
    machine = profile.machine
    x = np.geomspace(0.05, 2000, 100)
    roof = np.minimum(machine.flops_per_second, x * machine.bytes_per_second) / 1e9
    axes.plot(x, roof, color="k", lw=1)
    sizes = measured_at(profile, by, "scores")
    markers = dict(zip(sizes, "v^soD", strict=False))
    for tokens in sizes:
        for row in forward_pass(profile, by, tokens):
            if row.cost.flops:
                place = row.one.cost.intensity, row.one.rate / 1e9
                colour = _COLOURS[PARTS[row.step]]
                axes.plot(*place, markers[tokens], ms=5, color=colour, alpha=0.8)
    _name_the_points(axes, forward_pass(profile, by, _NAMED_AT))
    for tokens, marker in markers.items():
        axes.plot([], [], marker, color=GREY, label=f"{tokens} tokens")
    axes.set(xscale="log", yscale="log", xlabel="FLOPs a byte", ylabel="GFLOP/s")
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    return f"Roofline: each step as a point (named at {_NAMED_AT} tokens)"


def _name_the_points(axes: Any, rows: list[PassStep]) -> None:
    """Those under the slope beside their points; those under the flat roof in one list below."""
    rows = [row for row in rows if row.cost.flops]
    under_the_flat = [row for row in rows if row.one.machine.bound(row.one.cost) == "compute"]
    for row in rows:
        if row not in under_the_flat:
            left = row.step == "norm"  # softmax lies close beside it
            axes.annotate(
                row.step,
                (row.one.cost.intensity, row.one.rate / 1e9),
                xytext=(-5 if left else 5, 0),
                textcoords="offset points",
                ha="right" if left else "left",
                color=_COLOURS[PARTS[row.step]],
                **_SMALL,
            )
    under_the_flat.sort(key=lambda row: -row.one.rate)
    if under_the_flat:
        names = "\n".join(row.step for row in under_the_flat)
        x, y = under_the_flat[-1].one.cost.intensity, under_the_flat[-1].one.rate / 1e9
        axes.annotate(
            f"fastest first:\n{names}",
            (x, y / 3),
            ha="center",
            color=GREY,
            **_SMALL | {"va": "top"},
        )


def what_the_cache_saves(axes: Any, profile: Profile, by: str) -> str:
    """The time for one more token, with the key/value cache and without."""
    for step, colour in (("token without cache", ORANGE), ("token with cache", BLUE)):
        points = [
            (t, m.seconds)
            for t in measured_at(profile, by, step)
            if (m := profile.get(by, step, at(t)))
        ]
        if points:
            axes.plot(*zip(*points, strict=True), "o-", color=colour, label=step[6:])
    layers = [
        (t, config_of(AITANA).num_hidden_layers * m.seconds)
        for t in measured_at(profile, by, "decoder layer")
        if (m := profile.get(by, "decoder layer", at(t)))
    ]
    if layers:
        axes.plot(
            *zip(*layers, strict=True),
            "x:",
            color=ORANGE,
            label="without: 24 measured layers, no lm_head",
        )
    axes.set(xscale="log", yscale="log", xlabel="tokens so far", ylabel="s for one more token")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.legend(frameon=False, fontsize=8)
    return "What the key/value cache saves"


def what_shared_heads_save(axes: Any, profile: Profile, by: str) -> str:
    """Size of the cache, and time for the next token, at 16, 4 and 1 key/value heads."""
    found = [
        (m.size.kv_heads, formulas.cache_bytes(m.size.config, m.size.tokens), m.seconds)
        for m in profile.shared_heads(by)
    ]
    if not found:
        return "What shared key/value heads save"
    places = np.arange(len(found))
    axes.bar(places - 0.2, [cache / 1e6 for _, cache, _ in found], 0.38, color=PURPLE)
    for place, (_, cache, _) in zip(places, found, strict=True):
        axes.text(place - 0.2, cache / 1e6, f"{cache / 1e6:,.0f} MB", **_ON_TOP)
    beside = axes.twinx()
    beside.bar(places + 0.2, [1e3 * s for *_, s in found], 0.38, color=BLUE)
    for place, (*_, seconds) in zip(places, found, strict=True):
        beside.text(place + 0.2, 1e3 * seconds, duration(seconds), **_ON_TOP)
    beside.margins(y=0.15)
    axes.margins(y=0.15)
    axes.set_xticks(places, [f"{heads} heads" for heads, *_ in found])
    axes.set_ylabel("MB of cache", color=PURPLE)
    beside.set_ylabel("ms for the next token", color=BLUE)
    return (
        f"What shared key/value heads save after {profile.shared_heads(by)[0].size.tokens} tokens"
    )


_SMALL: dict[str, Any] = {"va": "center", "fontsize": 7}
_ON_TOP: dict[str, Any] = {"ha": "center", "va": "bottom", "fontsize": 6.5}
Plot = Callable[[Any, Profile, str], str]
PLOTS: tuple[Plot, ...] = (
    where_the_time_goes,
    as_the_sentence_grows,
    roofline,
    what_the_cache_saves,
    what_shared_heads_save,
)


def png(profile: Profile, by: str, lines: list[str]) -> bytes:
    """All of them on one sheet, with what they say in words."""
    figure = Figure(figsize=(13, 7.6), layout="constrained")
    grid = figure.subplots(2, 3)
    for axes, plot in zip(grid.flat, PLOTS, strict=False):
        axes.set_title(plot(axes, profile, by), pad=22 if plot is where_the_time_goes else 6)
    _write(grid.flat[-1], lines)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=110)
    # Few colours make a third of the file.
    few, small = Image.open(out).convert("RGB").quantize(96), io.BytesIO()
    few.save(small, format="png", optimize=True)
    return small.getvalue()


def svg(plot: Plot, profile: Profile, by: str) -> tuple[str, str]:
    """One plot and its title."""
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    title = plot(figure.subplots(), profile, by)
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    named = f'<svg role="img" aria-label="{escape(title)}"'
    return title, text[text.index("<svg") :].replace("<svg", named, 1)


def _write(axes: Any, lines: list[str]) -> None:
    axes.axis("off")
    text = "\n\n".join(lines)
    axes.text(0, 1, text.replace("`", ""), va="top", wrap=True, transform=axes.transAxes)
