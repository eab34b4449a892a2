"""`token-journey start`: a learner's folder, with ten stubs in it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from token_journey.commands.options import path
from token_journey.course.course import find_course
from token_journey.course.kata import start


def add(commands: Any) -> None:
    parser = commands.add_parser("start", help="make a folder with the ten stages to write")
    parser.add_argument("folder", type=path, metavar="DIR", help="a folder that is not there yet")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Raises CourseError and StubError."""
    start(options.folder, find_course())
    go = "" if options.folder == Path() else f"type `cd {options.folder}`, "
    print(f"{options.folder} is ready: {go}read exercises/s01_tokenize.py, and type `pytest`.")
