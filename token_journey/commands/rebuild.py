"""`token-journey rebuild`: make the shipped packs again."""

from __future__ import annotations

import argparse
from typing import Any

from token_journey.capture.recipes.rebuild import RECIPES, rebuild
from token_journey.commands.options import path
from token_journey.course.course import find_clone


def add(commands: Any) -> None:
    parser = commands.add_parser("rebuild", help="make the shipped packs again")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"all if not given: {', '.join(RECIPES)}"
    )
    parser.add_argument(
        "--out", type=path, metavar="DIR", help="where to put them (default: packs/)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Raises PackError and CourseError."""
    names = options.names or list(RECIPES)
    folder = options.out or find_clone().packs
    rebuild(names, folder)
    for name in names:
        print(f"{name} lies in {folder / name}")
