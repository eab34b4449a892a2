"""A walk in the terminal, by rich: every station with its numbers and a picture in letters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from token_journey.journey.excerpt import how_much, lines
from token_journey.journey.journey import Journey, Known, Seen, Step, Story
from token_journey.journey.stations import INTRODUCTION, REFERENCES, SAID, YOURS, stated, told
from token_journey.journey.terminal.colours import sentence, token_text
from token_journey.journey.terminal.drawings import PICTURES
from token_journey.numbers import percent


def show(journey: Journey, console: Console, keys: Sequence[str] = ()) -> None:
    """Print a walk; of its stations only those in `keys`, if any are given."""
    shown = [step for step in journey.steps if not keys or step.key in keys]
    console.print(_head(journey, whole=not keys))
    for step in shown:
        console.print(_station(step, journey))
    answers = [step.story for step in shown if step.story is not None]
    if answers:
        console.print(_answers(answers))


def _head(journey: Journey, whole: bool) -> RenderableType:
    """The sentence, and whose walk it is; the introduction in front of a whole walk."""
    introduction = "".join(INTRODUCTION) if whole else ""
    verdict = [journey.runs[0].verdict, SAID["whose"]] if journey.runs else []
    lines = [line for line in (introduction, journey.left_out, *verdict) if line]
    said: list[RenderableType] = [sentence(journey.tokens), Text("")]
    if lines:
        said += [*map(Text, lines), Text("")]
    said.append(Text(journey.source, style="dim"))
    return Panel(Group(*said), title=Text(journey.title), title_align="left", padding=(1, 2))


def _station(step: Step, journey: Journey) -> RenderableType:
    number = [each.key for each in journey.steps].index(step.key) + 1
    parts: list[RenderableType] = [
        Text(""),
        Rule(Text(f"{number} · {step.title}", style="bold"), align="left", style="dim"),
        Text(step.formula, style="bold cyan"),
        Text("   ".join(_about(step)), style="dim"),
        Text(step.why),
    ]
    if step.worked:
        parts.append(Text(step.worked, style="italic"))
    if step.remark:
        parts.append(Text(step.remark))
    if step.said:
        parts.append(Text(step.said, style="bold"))
    if step.seen:
        parts.append(Padding(_numbers(step.seen, journey), (1, 0, 0, 0)))
    picture = PICTURES.get(step.key)
    drawn = picture(journey) if picture else None
    if drawn is not None:
        parts.append(Padding(drawn, (1, 0, 0, 0)))
    elif picture and not step.seen:
        parts.append(Text(journey.missing, style="dim italic"))
    if step.story is not None:
        parts.append(_story(step.story))
    return Group(*parts)


def _about(step: Step) -> Iterator[str]:
    yield step.shapes
    if step.stage is not None:
        yield f"stage {step.stage}"
    if step.share is not None:
        yield f"{percent(step.share)} of the work"
    if step.states:
        yield stated(step.states[0])


# -- numbers ------------------------------------------------------------------------------------


def _numbers(seen: Sequence[Seen], journey: Journey) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for each in seen:
        _add(table, each, journey)
    return table


def _add(table: Table, seen: Seen, journey: Journey) -> None:
    shape = f"({', '.join(map(str, seen.shape))}{',' if len(seen.shape) == 1 else ''})"
    name = Text.assemble((seen.name, "bold"), "  ", (shape, "dim"), "  ", (seen.meaning, "dim"))
    if seen.known is None:
        name.append(f"  — {journey.missing}", style="italic")
    elif part := how_much(seen):
        name.append(f"  — {part}", style="italic")
    group: list[RenderableType] = [name]
    if seen.known is not None:
        group.append(_lines(seen, journey))
    taken = seen.taken[0] if seen.taken else None
    if taken is not None:
        whose = YOURS if taken.by == "yours" else REFERENCES
        mark = "✓" if taken.holds else "✗"
        style = "" if taken.holds else "bold red"
        group.append(Text(f"  {mark} {whose} {told(taken)}", style=style))
        if taken.value is not None and not taken.holds:
            group.append(_lines(replace(seen, known=Known(taken.value)), journey))
    table.add_row(Group(*group))


def _lines(seen: Seen, journey: Journey) -> RenderableType:
    body = Table.grid(padding=(0, 2))
    for line in lines(seen, journey, short=True):
        token = token_text(line.token, line.index) if line.token else Text("")
        body.add_row(Text(f"  {line.label}"), token, Text(line.numbers))
    return body


# -- stories ------------------------------------------------------------------------------------


def _story(story: Story) -> RenderableType:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in story.columns:
        table.add_column(column, justify="left" if column == story.columns[0] else "right")
    for row in story.rows:
        table.add_row(*(Text(cell) for cell in row))
    body = Group(
        Text(story.question),
        Text(""),
        table,
        Text(""),
        Text(SAID["think"], style="italic"),
    )
    return Padding(
        Panel(body, title=story.title, title_align="left", border_style="yellow"), (1, 0)
    )


def _answers(stories: Sequence[Story]) -> RenderableType:
    """What was to be found, after all the rest, so that nobody reads it too early."""
    parts: list[RenderableType] = []
    for story in stories:
        parts += [Text(story.title, style="bold"), Text(story.answer), Text("")]
    body = Panel(
        Group(*parts[:-1]), title=SAID["answers"], title_align="left", border_style="yellow"
    )
    return Padding(body, (1, 0))
