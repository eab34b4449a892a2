"""The table that people look at: a row and a bar a stage, and what to do next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

from token_journey.course.stage import Stage
from token_journey.grading.verdict import StageGrade, next_to_do

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
    if row.missing:
        said, colour = "not here", "red"
    elif row.failed:
        said, colour = _counted(row.failed, "check fails", "checks fail"), "red"
        if row.todo:
            said += f", {row.todo} to do"
    elif row.untouched:
        said, colour = "to do", "cyan"
    elif row.todo:
        said, colour = f"{row.todo} to do", "yellow"
    elif row.mend:
        said, colour = f"right; it works once {_stages(row.mend)} is right, too", "yellow"
    else:
        said, colour = "done", "green"
    if row.absent:
        said += f"; {row.absent} not on this pack"
    return f"  {stage.number:2}  {stage.title:<10} {bar} {count:>9}  {said}", colour


def _closing(path: str, stages: list[StageGrade], pytest: str) -> str:
    to_do = next_to_do(stages)
    checks = f"{sum(r.passed for r in stages)} of {sum(r.total for r in stages)} checks hold."
    if to_do is None:
        return f"  {checks} All that was asked for is right."
    verb = "correct" if to_do.failed else "write"
    stage = Stage(to_do.stage)
    file = f"{path}/{to_do.stage}.py"
    return f"  {checks} Next: {verb} stage {stage.number}, {file}, then `{pytest} {file}`."


def _after(path: str, right: list[StageGrade], pytest: str, course: Sequence[Stage]) -> str:
    """What to do once all that was asked for is right."""
    if course and len(right) == len(course):
        return (
            f"See your stages at work: `{pytest} {path} --chained`, and "
            f"`token-journey show --impl {path}`."
        )
    later = [stage for stage in course if stage > Stage(right[-1].stage)]
    return f"Next: stage {later[0].number}, {path}/{later[0].file}." if later else ""


def _stages(names: Iterable[str]) -> str:
    numbers = sorted(Stage(name).number for name in names)
    if len(numbers) == 1:
        return f"stage {numbers[0]}"
    return "stages " + ", ".join(map(str, numbers[:-1])) + f" and {numbers[-1]}"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
