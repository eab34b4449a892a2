"""The table that people look at: a row and a bar a stage, and what to do next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

from token_journey.course.stage import Stage
from token_journey.grading.verdict import StageGrade, next_to_do
from token_journey.words import table as words

_BAR = 24
_WriteLine = Callable[..., Any]


def write_scoreboard(
    rows: Iterable[StageGrade], write: _WriteLine, pytest: str, course: Sequence[Stage] = ()
) -> None:
    """Write every path's table; `write(text, **markup)` takes pytest's colours.

    pytest: what to type to run it
    course: all stages, to say what comes after those that are right
    """
    for path, group in groupby(rows, key=lambda row: row.path):
        stages = list(group)
        write("")
        write(path, bold=True)
        for row in stages:
            text, colour = row_of(row)
            write(text, **{colour: True})
        write(_closing(path, stages, pytest))
        if next_to_do(stages) is None and (after := _after(path, stages, pytest, course)):
            write(f"  {after}")


def row_of(row: StageGrade) -> tuple[str, str]:
    """A stage's line of the table, and its colour."""
    stage = Stage(row.stage)
    filled = _BAR * row.passed // max(row.total, 1)
    bar = "█" * filled + "░" * (_BAR - filled)
    count = f"{row.passed}/{row.total}"
    said, colour = said_of(row)
    return f"  {stage.number:2}  {stage.title:<10} {bar} {count:>9}  {said}", colour


def said_of(row: StageGrade) -> tuple[str, str]:
    """How a stage stands, in words, and their colour."""
    if row.missing:
        said, colour = words.not_here(), "red"
    elif row.failed:
        said, colour = words.checks_fail(row.failed, row.todo), "red"
    elif row.untouched:
        said, colour = words.untouched(), "cyan"
    elif row.todo:
        said, colour = words.some_to_do(row.todo), "yellow"
    elif row.mend:
        said, colour = words.waits_for(sorted(Stage(name).number for name in row.mend)), "yellow"
    else:
        said, colour = words.done(), "green"
    if row.absent:
        said += words.not_on_this_pack(row.absent)
    return said, colour


def _closing(path: str, stages: list[StageGrade], pytest: str) -> str:
    to_do = next_to_do(stages)
    hold = words.checks_hold(sum(r.passed for r in stages), sum(r.total for r in stages))
    if to_do is None:
        return f"  {hold} {words.all_right()}"
    stage = Stage(to_do.stage)
    file = path if path.endswith(".ipynb") else f"{path}/{stage.file}"
    where = words.cell(stage.title, path) if path.endswith(".ipynb") else file
    return f"  {hold} {words.next_is(to_do.failed > 0, stage.number, where, f'{pytest} {file}')}"


def _after(path: str, right: list[StageGrade], pytest: str, course: Sequence[Stage]) -> str:
    """What to do once all that was asked for is right."""
    if course and len(right) == len(course):
        return words.at_work(path, pytest)
    later = [stage for stage in course if stage > Stage(right[-1].stage)]
    return words.next_after(later[0].number, f"{path}/{later[0].file}") if later else ""
