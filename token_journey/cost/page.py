"""The cost of Aitana-2B-S as one page that opens from disk."""

from __future__ import annotations

import re
from html import escape

from token_journey.cost.plots import PLOTS, svg
from token_journey.cost.profile import Profile
from token_journey.cost.report import HEADS, table_rows, title, words

_STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid #ddd;
         white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
.scroll { overflow-x: auto; margin: 1rem 0 2rem; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1rem; }
figure { margin: 0; } figcaption { font-weight: 600; } svg { width: 100%; height: auto; }
"""


def page(profile: Profile, by: str, tokens: int) -> str:
    said = "".join(f"<li>{_in_html(sentence)}</li>" for sentence in words(profile, by, tokens))
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name, _ in HEADS)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
        for cells in table_rows(profile, by, tokens)
    )
    figures = "".join(
        f"<figure><figcaption>{escape(name)}</figcaption>{drawn}</figure>"
        for name, drawn in (svg(plot, profile, by) for plot in PLOTS)
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>What Aitana-2B-S costs</title><style>{_STYLE}</style>"
        f"<h1>Where is the computational cost?</h1><ul>{said}</ul>"
        f"<h2>Step by step</h2><p>{escape(title(profile, by, tokens))}.</p>"
        '<div class="scroll" tabindex="0" role="region" aria-label="The table"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        f'<div class="pictures">{figures}</div></html>'
    )


def _in_html(sentence: str) -> str:
    return re.sub("`(.+?)`", r"<code>\1</code>", escape(sentence))
