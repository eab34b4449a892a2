"""`token-journey reset`: a stage anew; what was written is kept beside it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from token_journey.commands.options import path
from token_journey.course.course import find_course
from token_journey.course.kata import stages_in
from token_journey.course.stubs import reset
from token_journey.errors import StubError


def add(commands: Any) -> None:
    parser = commands.add_parser("reset", help="a fresh stub of stage N; the old file is kept")
    parser.add_argument("stage", metavar="N", help="the stage's number")
    parser.add_argument(
        "folder", nargs="?", type=path, default=Path(), metavar="DIR", help="default: this folder"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Raises CourseError and StubError."""
    course = find_course()
    folder = stages_in(options.folder, course)
    if folder.resolve() == course.reference:
        raise StubError(
            f"{folder} is the reference, which stubs are made from: name your own folder."
        )
    file, kept = reset(options.stage, course.reference, folder)
    print(f"{file} is a fresh stub.")
    if kept:
        print(f"Your old file is {kept}.")
