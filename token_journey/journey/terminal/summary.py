"""A walk in twelve lines: the sentence, the answer, who looks where, the lens, the work."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from rich.console import Console
from rich.text import Text

from token_journey.journey.journey import Journey, Lens, Part
from token_journey.journey.spelling import quoted
from token_journey.journey.stations import SAID
from token_journey.journey.terminal.colours import printable, sentence
from token_journey.journey.terminal.drawings import line, looks_at, most_of
from token_journey.numbers import percent

# Heads that are told, words that it would have said on its way, steps that cost most.
_HEADS, _WORDS, _COSTS = 3, 5, 4
_NAMES = 12


def summary(journey: Journey, console: Console) -> None:
    """Print it: a line of it is cut where the terminal is too narrow, never wrapped."""
    for each in _lines(journey):
        console.print(each, no_wrap=True, overflow="ellipsis", crop=True)


def _lines(journey: Journey) -> Iterator[Text]:
    said = sentence(journey.tokens)
    if journey.best:
        best = journey.best[0]
        said.append("  →  ").append(printable(best.piece.strip(" ")), style="bold")
        said.append(f" {percent(best.probability)}", style="bold cyan")
    yield Text(journey.title, style="dim")
    yield said
    yield _named("then", _runners_up(journey))
    yield from _lens(journey)
    yield from _who(journey)
    work = "   ".join(f"{name} {percent(share)}" for name, share in journey.costs[:_COSTS])
    yield _named("the work", Text(work))
    if journey.runs:
        yield _named("yours", Text(journey.runs[0].verdict, style="bold"))
    elif journey.left_out:
        yield _named("left out", Text(journey.left_out))
    yield Text(SAID["more"], style="dim")


def _named(name: str, text: Text) -> Text:
    return Text.assemble((f"{name:{_NAMES}}", "dim"), text)


def _runners_up(journey: Journey) -> Text:
    others = journey.best[1:5]
    if not others:
        return Text(f"what comes next: {journey.missing}")
    return Text("   ".join(f"{quoted(each)} {percent(each.probability)}" for each in others))


def _lens(journey: Journey) -> Iterator[Text]:
    """How likely the answer was after each layer, and what was said on the way."""
    known = [lens for lens in journey.lens if not math.isnan(lens.chosen)]
    if not known or not journey.best:
        return
    course = Text(line([lens.chosen for lens in known], every=True), style="cyan")
    course.append(f"  {quoted(journey.best[0])} from the embedding to layer {known[-1].layer}")
    yield _named("sure", course)
    changes = [known[0]] + [b for a, b in pairwise(known) if _said(a) != _said(b)]
    yield _named("would say", Text("  ").join(_word(lens) for lens in changes[-_WORDS:]))


def _word(lens: Lens) -> Text:
    where = "first" if lens.layer < 0 else f"layer {lens.layer}"
    return Text.assemble((f"{where} ", "dim"), (_said(lens), "bold"))


def _said(lens: Lens) -> str:
    piece = lens.best[-1][0].piece
    return printable(piece.strip(" ") or piece)


def _who(journey: Journey) -> Iterator[Text]:
    """The heads that say the answer loudest; without an answer, where heads look."""
    for place, part in enumerate(_loudest(journey)):
        text = Text(f"{part.name} looks at ").append_text(looks_at(part, journey))
        yield _named("" if place else "who said it", text.append(f", adds {part.lead:+.1f}"))
    if journey.attribution is not None or journey.layer not in journey.patterns:
        return
    for head, row in enumerate(journey.patterns[journey.layer][:_HEADS, -1]):
        text = Text(f"layer {journey.layer}, head {head} from the last token at ")
        yield _named("" if head else "who looks", text.append_text(most_of(row, journey)))


def _loudest(journey: Journey) -> list[Part]:
    if journey.attribution is None:
        return []
    parts = journey.attribution.strongest(len(journey.attribution.parts))
    return [part for part in parts if part.head is not None][:_HEADS]
