"""Where somebody stands, and what to type next: in words that any terminal shows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from token_journey.course.course import Course
from token_journey.course.kata import is_kata, stages_in
from token_journey.course.stage import Stage
from token_journey.grading.scoreboard import row_of, said_of
from token_journey.grading.verdict import StageGrade
from token_journey.watch.progress import Progress, is_begun

Line = tuple[str, str]
Row = tuple[Stage, StageGrade | None, str, str]


def standing(here: Path, course: Course) -> list[str]:
    """What bare `token-journey` says in a folder."""
    if not is_kata(here, course):
        return [
            "Here is no kata. To begin one, type `token-journey start kata`.",
            "To see all that token-journey can do, type `token-journey --help`.",
        ]
    folder = near(stages_in(here, course))
    progress = Progress.read(folder)
    rows = [text for text, _ in table(progress, course)]
    return [f"Your stages in {folder}:", "", *rows, "", *_next(progress, course), *_hints(progress)]


def near(folder: Path) -> Path:
    """The folder as a person would type it."""
    short = os.path.relpath(folder)
    return folder.resolve() if short.startswith("..") else Path(short)


def table(progress: Progress, course: Course) -> Iterator[Line]:
    """A row and its colour for each stage."""
    for stage, grade, said, colour in rows(progress, course):
        yield row_of(grade) if grade else (f"  {stage.number:2}  {stage.title:<10} {said}", colour)


def rows(progress: Progress, course: Course) -> Iterator[Row]:
    """For each stage its grade, if it is judged as it is now, what is said of it, and a colour."""
    for stage in course.stages():
        grade = progress.grade(stage)
        if grade is not None and progress.is_judged(stage):
            yield stage, grade, *said_of(grade)
        else:
            begun = is_begun(progress.folder / stage.file)
            changed = "changed since it was judged" if grade else "begun, not judged"
            yield stage, None, changed if begun else "to do", "yellow" if begun else "cyan"


def _next(progress: Progress, course: Course) -> list[str]:
    stage = _to_do(progress, course)
    if stage is None:
        return ["All ten stages are right.", "", *afterwards(progress.folder)]
    verb = "mend" if is_begun(progress.folder / stage.file) else "read and write"
    return [
        f"Next: {verb} stage {stage.number}, {progress.folder / stage.file}.",
        "Type `token-journey watch`: it judges a stage whenever you save it.",
        f"Stuck? `token-journey hint {stage.number}`. Before you write: "
        f"`token-journey shapes {stage.number}`.",
    ]


def _to_do(progress: Progress, course: Course) -> Stage | None:
    """The first stage that is not known to be right as it is now."""
    stages = course.stages()
    return next((s for s in stages if not (progress.done(s) and progress.is_judged(s))), None)


def _hints(progress: Progress) -> Iterator[str]:
    opened = sum(sum(steps.values()) for steps in progress.hints.values())
    if opened:
        yield f"Hints opened so far: {opened}."


def afterwards(folder: Path) -> list[str]:
    """What comes after ten green stages."""
    return [
        "Your stages are a language model now. See them at work:",
        f"  pytest {folder} --chained",
        "      a sentence through your own ten stages",
        f'  token-journey show "The capital of France is" --impl {folder}',
        "      every number of it, yours beside the model's",
        "And then:",
        f"  token-journey cost {folder}",
        "      what each of your stages costs",
        "  token-journey fetch",
        f"  pytest {folder} --whole-model",
        "      all 30 layers of SmolLM2",
        f"  token-journey capture MODEL, then pytest {folder} --pack DIR",
        "      your stages against another model",
    ]
