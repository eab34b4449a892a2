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
from token_journey.journey.build.parameters import card
from token_journey.journey.journey import Journey, Step
from token_journey.journey.page.payload import payload, vocabulary
from token_journey.journey.page.simple_charts import after, simple_charts
from token_journey.journey.spelling import visible, words_of
from token_journey.journey.stations import INTRODUCTION, SAID
from token_journey.numbers import percent

# In this order, in one scope, after what draws charts.
_SCRIPTS = (
    "data.js",
    "simple_charts.js",
    "rotation.js",
    "attention.js",
    "neurons.js",
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
    jinja.filters |= {"share": percent, "visible": visible, "short": excerpt.short_name}
    jinja.globals |= {
        "lines": lambda seen: excerpt.lines(seen, journey),
        "how_much": excerpt.how_much,
        "after": after,
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
