"""What stands on the screen of a desk, as rich draws it: in 60 columns, and without colour, too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.style import Style
from rich.text import Text

from token_journey.course.course import Course
from token_journey.course.stage import Stage
from token_journey.grading.stories import stories
from token_journey.grading.verdict import Verdict
from token_journey.watch.progress import Progress
from token_journey.watch.standing import table

KEYS = {
    "h": "hint", "n": "next", "l": "list", "c": "check all", "s": "shapes", "w": "walk",
    "e": "edit", "x": "reset", "r": "run again", "q": "quit",
}  # fmt: skip


def head(progress: Progress, course: Course, stage: Stage) -> RenderableType:
    """The bar of all stages, and the file of the one in work."""
    bar = Text()
    for each in course.stages():
        sign, colour = _sign(progress, each)
        here = each == stage
        bar.append(f"[{each.number}{sign}]" if here else f" {each.number}{sign} ", colour)
    done = sum(progress.done(each) for each in course.stages())
    bar.append(f"  {done} of 10 done", "dim")
    file = (progress.folder / stage.file).resolve()
    title = Text(f"Stage {stage.number} · {stage.title}   ", "bold")
    title.append(str(progress.folder / stage.file), Style(link=file.as_uri(), underline=True))
    return Group(bar, Text(), title)


def _sign(progress: Progress, stage: Stage) -> tuple[str, str]:
    grade = progress.grade(stage)
    if grade is None or grade.untouched:
        return "·", "cyan"
    if grade.done:
        return "✓", "green"
    return ("✗", "red") if grade.failed or grade.missing else ("…", "yellow")


def row(progress: Progress, course: Course, stage: Stage) -> Text:
    text, colour = list(table(progress, course))[course.stages().index(stage)]
    return Text(text, colour)


def stages(progress: Progress, course: Course) -> RenderableType:
    """All ten, to choose from."""
    return Group(*(Text(text, colour) for text, colour in table(progress, course)))


def first(promise: str, holds: bool, failed_before: bool) -> Text:
    """What is known first of a save."""
    if holds:
        return Text(f"✓ It holds now: {promise}", "green")
    return Text(f"✗ {'It fails still' if failed_before else 'It fails'}: {promise}", "red")


def failures(verdicts: Sequence[Verdict], printed: dict[str, str]) -> Iterator[RenderableType]:
    """The first few stories, each once; where a cause is named, only those."""
    told, more = stories(verdicts)
    for verdict in told:
        yield failure(verdict, printed.get(verdict.check, ""))
    if more:
        yield Text(f"{more} more {'check fails' if more == 1 else 'checks fail'}.", "dim")


def failure(verdict: Verdict, printed: str = "") -> RenderableType:
    parts = [Text(f"✗ {verdict.check}", "bold red"), Text(verdict.message)]
    if printed:
        parts += [Text("Your code printed:", "bold"), Text(printed.rstrip("\n"))]
    return Group(*parts, Text())


def keys() -> Text:
    """Every key with its word."""
    text = Text()
    for place, (key, word) in enumerate(KEYS.items()):
        text.append("\n" if place == len(KEYS) // 2 else "  " if place else "")
        text.append(key, "bold").append(f" {word}", "dim")
    return text


def lines(said: Iterable[str], style: str = "") -> RenderableType:
    return Group(*(Text(line, style) for line in said))
