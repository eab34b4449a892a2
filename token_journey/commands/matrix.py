"""`token-journey matrix`: which check stops which known mistake, by how wide a margin."""

from __future__ import annotations

import argparse
from typing import Any


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "matrix", help="which check stops which known mistake, and a summary; takes minutes"
    )
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> None:
    """Raises CourseError."""
    from token_journey.grading.kill_matrix import write_matrix

    write_matrix()
