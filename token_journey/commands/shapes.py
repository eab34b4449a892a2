"""`token-journey shapes`: predict the shapes of a stage before it is written."""

from __future__ import annotations

import argparse
from typing import Any

from token_journey.course.course import find_course
from token_journey.course.stage import Stage
from token_journey.course.stubs import solution
from token_journey.errors import UserError


def add(commands: Any) -> None:
    parser = commands.add_parser("shapes", help="predict the shapes of stage N, with real sizes")
    parser.add_argument("stage", metavar="N", help="the stage's number")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Raises UserError."""
    from token_journey.watch.shapes import questions, quiz

    course = find_course()
    stage = Stage(solution(options.stage, course.reference).stem)
    asked = list(questions(course, stage))
    if not asked:
        raise UserError(f"Stage {stage.number} has no tensors, and so no shapes: try another one.")
    print("Type each shape, as in `16 5 128`. Enter alone ends it.")
    quiz(asked, _typed, print)


def _typed(question: str) -> str:
    try:
        return input(question)
    except EOFError:
        return ""
