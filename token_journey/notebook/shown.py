"""What stands below a cell: a table with its messages, as HTML and as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from token_journey.course.stage import Stage
from token_journey.foreign import shown
from token_journey.grading.scoreboard import row_of, said_of
from token_journey.grading.stories import stories
from token_journey.grading.verdict import Grade, StageGrade, Verdict
from token_journey.notebook.cell import Written
from token_journey.watch.standing import Row

# White on these can be read on a page of any colour.
_COLOURS = {"green": "#1a7f37", "red": "#b3261e", "yellow": "#7a5c00", "cyan": "#0b6b8a"}
_BADGE = "color: #fff; border-radius: .3em; padding: .1em .5em; white-space: nowrap; background: "
_BAR = "display: inline-block; width: 10em; height: .7em; border: 1px solid; border-radius: .3em"
_CELL = "text-align: left; padding: .2em .8em .2em 0; background: none"
_MESSAGE = "white-space: pre-wrap; overflow-wrap: anywhere; margin: .4em 0 .8em 1em"


@dataclass(frozen=True, repr=False)
class Shown:
    """A notebook takes the HTML, a console the text."""

    html: str
    text: str

    def _repr_html_(self) -> str:
        return f'<div class="token-journey">{self.html}</div>'

    def __repr__(self) -> str:
        return self.text


def together(*parts: Shown | None) -> Shown:
    there = [part for part in parts if part is not None]
    return Shown("".join(p.html for p in there), "\n".join(p.text for p in there))


def sentences(said: Iterable[str]) -> Shown:
    lines = list(said)
    return Shown("".join(f"<p>{_marked_up(line)}</p>" for line in lines), "\n".join(lines))


def marked(sentence: str, right: bool) -> Shown:
    sign, colour = ("✓", "green") if right else ("✗", "red")
    return Shown(f"<p>{_badge(sign, colour)} {_marked_up(sentence)}</p>", f"{sign} {sentence}")


def refused(sentence: str) -> Shown:
    return marked(sentence, right=False)


def text(said: str) -> Shown:
    """Lines that stay as they are, such as a hint's formula."""
    return Shown(f'<pre style="{_MESSAGE}">{escape(said)}</pre>', said)


def titled(title: str, *parts: Shown) -> Shown:
    return together(Shown(f"<p><b>{escape(title)}</b></p>", f"{title}\n"), *parts)


def table(rows: Iterable[Row]) -> Shown:
    """The stages in rows, with a bar for those that were judged."""
    html, plain = [], []
    for stage, grade, said, colour in rows:
        html.append(_row(stage, grade, said, colour))
        plain.append(row_of(grade)[0] if grade else f"  {stage.number:2}  {stage.title:<10} {said}")
    names = ("Stage", "Checks that hold", "How it stands")
    head = "".join(f'<th scope="col" style="{_CELL}">{name}</th>' for name in names)
    body = f"<thead><tr>{head}</tr></thead><tbody>{''.join(html)}</tbody>"
    return Shown(f'<table style="border: 0">{body}</table>', "\n".join(plain))


def graded(grade: StageGrade) -> Row:
    return Stage(grade.stage), grade, *said_of(grade)


def stage(verdicts: Sequence[Verdict], printed: Mapping[str, str], cell: Written) -> Shown:
    """The row of one stage, and its first few failures; the first is unfolded."""
    (grade,) = Grade(tuple(verdicts)).stages
    told, more = stories(verdicts)
    parts = [
        _failure(cell.in_cell(v.message), printed.get(v.check, ""), first=v is told[0])
        for v in told
    ]
    fail = "check fails" if more == 1 else "checks fail"
    rest = sentences([f"{more} more {fail}."]) if more else None
    return together(table([graded(grade)]), *parts, rest)


def _failure(message: str, printed: str, *, first: bool) -> Shown:
    head, _, below = message.strip().partition("\n")
    said = f"\nYour code printed:\n{shown(printed.rstrip())}" if printed.strip() else ""
    rest = f'<pre style="{_MESSAGE}">{escape(below + said)}</pre>' if below or said else ""
    summary = f'<summary style="cursor: pointer">{_badge("✗", "red")} {_marked_up(head)}</summary>'
    html = f"<details{' open' if first else ''}>{summary}{rest}</details>"
    return Shown(html, f"\n✗ {message}{said}")


def _row(stage: Stage, grade: StageGrade | None, said: str, colour: str) -> str:
    held = ""
    if grade:
        share = 100 * grade.passed // max(grade.total, 1)
        inside = f"width: {share}%; height: 100%; background: {_COLOURS[colour]}"
        bar = f'<span style="{_BAR}"><span style="display: block; {inside}"></span></span>'
        held = f"{bar} {grade.passed} of {grade.total}"
    head = f'<th scope="row" style="{_CELL}">{stage.number} · {escape(stage.title)}</th>'
    cells = (f'<td style="{_CELL}">{cell}</td>' for cell in (held, _badge(said, colour)))
    return f"<tr>{head}{''.join(cells)}</tr>"


def _badge(said: str, colour: str) -> str:
    return f'<span style="{_BADGE}{_COLOURS[colour]}">{escape(said)}</span>'


def _marked_up(line: str) -> str:
    """What stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(line))
