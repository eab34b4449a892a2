"""`token-journey verify`: a pack beside what was published of its model."""

from __future__ import annotations

import argparse
from typing import Any

from token_journey.commands.options import path
from token_journey.course.course import find_course


def add(commands: Any) -> None:
    parser = commands.add_parser("verify", help="hold a captured pack against published figures")
    parser.add_argument("pack", type=path, metavar="PACK", help="the pack's folder")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Raises PackError, Differs and CourseError."""
    from token_journey.packs.pack import Pack
    from token_journey.packs.verify import report

    print(report(Pack(options.pack), find_course().packs))
