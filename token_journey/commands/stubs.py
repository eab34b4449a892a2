"""`token-journey stubs`: make the exercises of a clone from its solutions."""

from __future__ import annotations

import argparse
from typing import Any

from token_journey.course.course import find_clone
from token_journey.course.stage import Stage
from token_journey.course.stubs import write_stubs


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "stubs",
        help="make the stubs of exercises/ from solutions/; written files are left alone",
    )
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> None:
    """Raises CourseError and StubError."""
    course = find_clone()
    left_alone = write_stubs(course.reference, course.exercises)
    for file in left_alone:
        print(
            f"{file.relative_to(course.home)} is written in and was left alone: "
            f"`make reset STAGE={Stage(file.stem).number}` gives a fresh stub and keeps it."
        )
    which = "The other" if left_alone else "All"
    print(f"{which} stubs in {course.exercises.relative_to(course.home)}/ are fresh.")
