"""A journey as one HTML page that opens from disk and needs no network.

`page/` holds its parts. Texts and tables are written here; page/*.js draws pictures from
the numbers in a JSON block.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup, escape

from token_journey.drawing import vega
from token_journey.drawing.page import charts, environment, part
from token_journey.journey import excerpt
from token_journey.journey.build.parameters import card, module_tree
from token_journey.journey.journey import Journey, Step
from token_journey.journey.page.payload import payload, vocabulary
from token_journey.journey.page.simple_charts import after, simple_charts
from token_journey.journey.spelling import quoted, shared, visible, words_of
from token_journey.journey.stations import INTRODUCTION, SAID, stated, told
from token_journey.numbers import percent

# In this order, in one scope, after what draws charts.
_SCRIPTS = (
    "data.js",
    "address.js",
    "yours.js",
    "cells.js",
    "river.js",
    "simple_charts.js",
    "tensors.js",
    "rotation.js",
    "attention.js",
    "neurons.js",
    "who.js",
    "sampling.js",
    "scrolling.js",
    "walk.js",
)
_ATTENTION = ("norm1", "qkv", "heads", "rope", "scores", "weighted", "output", "resid_mid")
_MLP = ("norm2", "mlp", "down", "resid_post")
_FRONT = ("tokens", "model", "embed")
# As many colours as theme.css has for tokens.
_COLOURS = 8


@dataclass(frozen=True)
class Group:
    """Steps that follow each other in one part of the model."""

    title: str
    steps: tuple[Step, ...]


def page(journey: Journey) -> str:
    """One complete HTML document."""
    drawn = simple_charts(journey)
    jinja = environment(__package__)
    jinja.filters |= {
        "share": percent,
        "visible": visible,
        "short": excerpt.short_name,
        "shared": shared,
    }
    jinja.globals |= {
        "lines": lambda seen: excerpt.lines(seen, journey),
        "how_much": excerpt.how_much,
        "after": after,
        "stated": stated,
        "told": told,
        "colour": lambda index: f"t{index % _COLOURS}",
    }
    return (
        jinja.get_template("page.html.j2")
        .render(
            journey=journey,
            config=journey.config,
            groups=_groups(journey),
            words=words_of(journey.tokens),
            also=words_of(journey.also),
            introduction=INTRODUCTION,
            said=SAID,
            plain=journey.gap is None and not any(token.part_of for token in journey.tokens),
            legend=_legend(journey),
            first=_first(journey),
            tree=module_tree(journey.config),
            sums=_sums(journey),
            strongest=_strongest(journey),
            card=card(journey.config, journey.parameters, journey.missing),
            charts=drawn,
            style=Markup(part(__package__, "page.css")),
            vega=Markup(vega.bundle()),
            script=Markup("\n".join([charts(), *(part(__package__, name) for name in _SCRIPTS)])),
            vocabulary=Markup(vocabulary(journey)),
            payload=Markup(payload(journey, drawn)),
        )
        .strip()
    )


def _legend(journey: Journey) -> Markup:
    """What the river shows, each word a link to its station."""
    answer = quoted(journey.best[0]) if journey.best else ""
    key = "legend" if journey.flow is not None and journey.flow.halves else "legend of layers"
    who = SAID["legend who"] if journey.attribution is not None else ""
    of = journey.flow.of if journey.flow is not None else ""
    return Markup(f"{SAID[key]}{who}").format(answer=answer, of=f" ({of})" if of else "")


def _first(journey: Journey) -> Step | None:
    """The station where somebody's stages leave the model."""
    return next((step for step in journey.steps if step.states and step.states[0].first), None)


def _sums(journey: Journey) -> dict[str, str]:
    """The two logits, and what they are the sums of."""
    found = journey.attribution
    if found is None:
        return {}
    told = {"answer": quoted(found.answer), "runner_up": quoted(found.runner_up)}
    for side in ("answer", "runner_up"):
        sums = {"embedding": 0.0, "heads": 0.0, "mlps": 0.0, "all": 0.0}
        for each in found.parts:
            kind = "embedding" if each.layer < 0 else "mlps" if each.is_mlp else "heads"
            sums[kind] += getattr(each, side)
            sums["all"] += getattr(each, side)
        told |= {f"{side}_{kind}": f"{value:.2f}" for kind, value in sums.items()}
    return told


def _strongest(journey: Journey) -> str:
    """The head that says the answer loudest, as an address has it."""
    if journey.attribution is None:
        return ""
    parts = journey.attribution.strongest(len(journey.attribution.parts))
    return next(f"{each.layer}.{each.head}" for each in parts if each.head is not None)


def framed(journey: Journey) -> str:
    """The page inside another document."""
    return (
        f'<iframe title="{escape(journey.title)}" srcdoc="{escape(page(journey))}" '
        'style="width: 100%; height: 45rem; border: 0"></iframe>'
    )


def _groups(journey: Journey) -> list[Group]:
    layer = f"Inside layer {journey.layer}"
    titles = dict.fromkeys(_FRONT, "In front of the layers")
    titles |= dict.fromkeys(_ATTENTION, f"{layer}: attention")
    titles |= dict.fromkeys(_MLP, f"{layer}: the MLP")
    found: dict[str, list[Step]] = {}
    for step in journey.steps:
        found.setdefault(titles.get(step.key, "All layers, and out"), []).append(step)
    return [Group(title, tuple(steps)) for title, steps in found.items()]
