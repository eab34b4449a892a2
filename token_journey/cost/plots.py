"""Six plots of a profile."""

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
    """How fast each step is at one length, under what the machine could do."""
    machine = profile.machine
    x = np.geomspace(0.05, 2000, 100)
    roof = np.minimum(machine.flops_per_second, x * machine.bytes_per_second) / 1e9
    axes.plot(x, roof, color="k", lw=1)
    flat, slope = machine.flops_per_second / 1e9, machine.bytes_per_second / 1e9
    axes.text(2000, 1.1 * flat, f"{flat:,.0f} GFLOP/s", ha="right", fontsize=8)
    axes.text(0.05, 0.05 * slope * 1.6, f"{slope:,.0f} GB/s", fontsize=8)
    rows = [row for row in forward_pass(profile, by, _NAMED_AT) if row.cost.flops]
    for row in rows:
        place = row.one.cost.intensity, row.one.rate / 1e9
        axes.plot(*place, "o", ms=5, color=_COLOURS[PARTS[row.step]], alpha=0.8)
    axes.set(xscale="log", yscale="log", xlabel="FLOPs a byte", ylabel="GFLOP/s")
    axes.margins(y=0.12)
    _name_the_points(axes, rows)
    return f"Roofline: each step as a point, at {_NAMED_AT} tokens"


def _name_the_points(axes: Any, rows: list[PassStep]) -> None:
    """Each name beside its point, on the slope to the right and under the flat roof to the left;
    names that would cover each other are led apart."""
    for bound, side in (("memory", 1), ("compute", -1)):
        known = [row for row in rows if (row.one.machine.bound(row.one.cost) == bound)]
        known.sort(key=lambda row: -row.one.rate)
        for place, row in enumerate(known):
            axes.annotate(
                row.step,
                (row.one.cost.intensity, row.one.rate / 1e9),
                xytext=(30 * side, -11 * place),
                textcoords="offset points",
                ha="left" if side > 0 else "right",
                color=_COLOURS[PARTS[row.step]],
                arrowprops={"arrowstyle": "-", "lw": 0.5, "color": _COLOURS[PARTS[row.step]]},
                **_SMALL,
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
    """Size of the cache at 16, 4 and 1 key/value heads."""
    found = {
        m.size.kv_heads: formulas.cache_bytes(m.size.config, m.size.tokens) / 1e6
        for m in profile.shared_heads(by)
    }
    _bars(axes, found, "MB of cache", PURPLE, lambda megabytes: f"{megabytes:,.0f} MB")
    return f"What shared key/value heads save{_after(profile, by)}"


def what_shared_heads_speed_up(axes: Any, profile: Profile, by: str) -> str:
    """Time for the next token at 16, 4 and 1 key/value heads."""
    found = {m.size.kv_heads: 1e3 * m.seconds for m in profile.shared_heads(by)}
    _bars(axes, found, "ms for the next token", BLUE, lambda ms: duration(ms / 1e3))
    return f"What shared heads speed up{_after(profile, by)}"


def _after(profile: Profile, by: str) -> str:
    found = profile.shared_heads(by)
    return f" after {found[0].size.tokens} tokens" if found else ""


def _bars(
    axes: Any, found: dict[int, float], label: str, colour: str, said: Callable[[float], str]
) -> None:
    axes.bar(range(len(found)), list(found.values()), 0.6, color=colour)
    for place, value in enumerate(found.values()):
        axes.text(place, value, said(value), ha="center", va="bottom", fontsize=8)
    axes.margins(y=0.15)
    axes.set_xticks(range(len(found)), [f"{heads} heads" for heads in found])
    axes.set_ylabel(label)


_SMALL: dict[str, Any] = {"va": "center", "fontsize": 7}
Plot = Callable[[Any, Profile, str], str]
PLOTS: tuple[Plot, ...] = (
    where_the_time_goes,
    as_the_sentence_grows,
    roofline,
    what_the_cache_saves,
    what_shared_heads_save,
    what_shared_heads_speed_up,
)


def png(profile: Profile, by: str, lines: list[str]) -> bytes:
    """All of them on one sheet, with what they say in words."""
    figure = Figure(figsize=(17, 7.6), layout="constrained")
    grid = figure.subplots(2, 4)
    grid.flat[-1].remove()
    for axes, plot in zip(grid.flat, PLOTS, strict=False):
        axes.set_title(plot(axes, profile, by), pad=22 if plot is where_the_time_goes else 6)
    _write(grid.flat[-2], lines)
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
    made = axes.text(0, 1, text.replace("`", ""), va="top", wrap=True, transform=axes.transAxes)
    made.set_in_layout(False)  # as long as it is, it takes no room from the plots
