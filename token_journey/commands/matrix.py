"""`token-journey matrix`: which check stops which known mistake, by how wide a margin."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from token_journey.course.course import find_course


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "matrix", help="write which check stops which known mistake, as Markdown; takes minutes"
    )
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> None:
    """Raises CourseError."""
    from token_journey.grading.kill_matrix import as_markdown, build_matrix

    course = find_course()
    bank, variants = course.checks / "misconceptions", course.home / "tests" / "course" / "variants"
    sys.stdout.write(as_markdown(build_matrix(course.reference, bank, variants)))
