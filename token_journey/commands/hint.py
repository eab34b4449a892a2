"""`token-journey hint`: help with a stage, a step at a time."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from token_journey.commands.options import path
from token_journey.course.course import find_course
from token_journey.course.kata import stages_in
from token_journey.course.stage import Stage
from token_journey.course.stubs import solution


def add(commands: Any) -> None:
    parser = commands.add_parser("hint", help="the next hint for stage N; each tells more")
    parser.add_argument("stage", metavar="N", help="the stage's number")
    parser.add_argument("function", nargs="?", default="", help="the function you are stuck in")
    parser.add_argument(
        "--folder", type=path, default=Path(), metavar="DIR", help="default: this folder"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Raises UserError."""
    from token_journey.watch.hints import next_hint
    from token_journey.watch.progress import Progress

    course = find_course()
    stage = Stage(solution(options.stage, course.reference).stem)
    progress = Progress.read(stages_in(options.folder, course))
    hint = next_hint(course, stage, progress, options.function)
    print(f"{hint.title}\n\n{hint.text}\n\n{hint.after}")
