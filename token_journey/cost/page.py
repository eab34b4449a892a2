"""The cost of Aitana-2B-S as one page that opens from disk."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from token_journey.cost.plots import PLOTS, svg
from token_journey.cost.profile import Profile
from token_journey.cost.report import HEADS, table_rows, title, words
from token_journey.drawing.page import environment, part


def page(profile: Profile, by: str, tokens: int) -> str:
    jinja = environment(__package__)
    jinja.filters["code"] = _code
    return jinja.get_template("page.html.j2").render(
        style=Markup(part(__package__, "page.css")),
        words=words(profile, by, tokens),
        title=title(profile, by, tokens),
        head=[name for name, _ in HEADS],
        rows=list(table_rows(profile, by, tokens)),
        plots=[svg(plot, profile, by) for plot in PLOTS],
    )


def _code(sentence: str) -> Markup:
    return Markup(re.sub("`(.+?)`", r"<code>\1</code>", escape(sentence)))
