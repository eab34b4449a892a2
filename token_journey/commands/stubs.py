"""`token-journey stubs`: make the exercises from the solutions, or one of them anew."""

from __future__ import annotations

import argparse
from typing import Any

from token_journey.course.course import find_course
from token_journey.course.stage import Stage
from token_journey.course.stubs import reset, stage_number, write_stubs


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "stubs",
        help="make the stubs of exercises/ from solutions/; written files are left alone",
    )
    parser.add_argument(
        "--reset", metavar="N", help="a fresh stub of stage N; the old file is kept"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Raises CourseError and StubError."""
    _write_all() if options.reset is None else _reset_one(options.reset)


def _write_all() -> None:
    course = find_course()
    left_alone = write_stubs(course.reference, course.exercises)
    for file in left_alone:
        print(
            f"{file.relative_to(course.home)} is written in and was left alone: "
            f"`make reset STAGE={Stage(file.stem).number}` gives a fresh stub and keeps it."
        )
    which = "The other" if left_alone else "All"
    print(f"{which} stubs in {course.exercises.relative_to(course.home)}/ are fresh.")


def _reset_one(wanted: str) -> None:
    course = find_course()
    number = stage_number(wanted, course.reference)
    file, kept = reset(number, course.reference, course.exercises)
    print(f"{file.relative_to(course.home)} is a fresh stub.")
    if kept:
        print(f"Your old file is {kept.relative_to(course.home)}.")
