"""`token-journey notebook`: the kata as a notebook, for Jupyter, Colab and VS Code."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from token_journey.commands.options import path
from token_journey.course.course import Course, find_course
from token_journey.errors import CourseError
from token_journey.files import write_whole

_NAME = "kata.ipynb"


def add(commands: Any) -> None:
    parser = commands.add_parser("notebook", help=f"write {_NAME}: all ten stages, to be filled in")
    parser.add_argument(
        "folder", nargs="?", type=path, default=Path(), metavar="DIR", help="default: this folder"
    )
    parser.add_argument(
        "--kit",
        default="",
        metavar="ADDRESS",
        help="where its first cell installs the kit from, as git+https://… (default: a wheel)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Raises CourseError, also where there is such a notebook: someone may have written in it."""
    file = options.folder / _NAME
    if file.exists():
        raise CourseError(f"{file} is there already: name another folder, or rename it.")
    try:
        options.folder.mkdir(parents=True, exist_ok=True)
        write_whole(file, notebook(find_course(), options.kit).encode())
    except OSError as error:
        raise CourseError(f"{file} can't be written ({error.strerror}): name another.") from None
    print(f"{file} is written: open it in Jupyter, VS Code or Colab, and run its first cells.")


def notebook(course: Course, kit: str = "") -> str:
    """kata.ipynb, with a cell of shapes and one of the walk for the stages that have them."""
    from token_journey.course.kata_notebook import ShapesAsked, kata
    from token_journey.journey.stations import STATIONS
    from token_journey.watch.shapes import questions

    stages = course.stages()
    calls = {stage: [question.text for question in questions(course, stage)] for stage in stages}
    shown = {station.stage for station in STATIONS}
    return kata(course, ShapesAsked(calls, [s for s in stages if s.number in shown]), kit)
