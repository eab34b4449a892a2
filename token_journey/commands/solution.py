"""`token-journey solution`: the reference for one stage, once one's own is right."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from token_journey.commands.options import path
from token_journey.course.course import Course, find_course
from token_journey.course.kata import stages_in
from token_journey.course.stubs import solution
from token_journey.errors import UserError


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "solution", help="print the reference for stage N, once yours is right"
    )
    parser.add_argument("stage", metavar="N", help="the stage's number")
    parser.add_argument(
        "folder", nargs="?", type=path, default=Path(), metavar="DIR", help="default: this folder"
    )
    parser.add_argument("--anyway", action="store_true", help="even if yours is not right yet")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Raises CourseError, StubError, and UserError for a stage that is not right yet."""
    course = find_course()
    reference = solution(options.stage, course.reference)
    if not options.anyway:
        _refuse_before_right(options, course, reference.name)
    print(reference.read_text(encoding="utf-8"), end="")


def _refuse_before_right(options: argparse.Namespace, course: Course, name: str) -> None:
    from token_journey.grading.run import grade

    file = stages_in(options.folder, course) / name
    graded = grade(file)
    if not graded.done:
        passed = sum(stage.passed for stage in graded.stages)
        total = sum(stage.total for stage in graded.stages)
        raise UserError(
            f"{passed} of {total} checks of {file} hold: make it right first, or add --anyway to "
            "see the reference all the same."
        )
