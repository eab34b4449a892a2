"""`token-journey watch`: a stage is judged whenever it is saved."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from token_journey.commands.options import path
from token_journey.course.course import Course, find_course
from token_journey.course.kata import stages_in
from token_journey.course.stage import Stage
from token_journey.errors import UserError
from token_journey.files import cache_folder


def add(commands: Any) -> None:
    parser = commands.add_parser("watch", help="judge a stage whenever you save it, and help")
    parser.add_argument(
        "folder",
        nargs="?",
        type=path,
        default=Path(),
        metavar="PATH",
        help="your folder, or the stage file to begin with (default: this folder)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Raises UserError."""
    import token_journey.watch.desk  # noqa: F401  (what it needs comes with an extra)
    from token_journey.watch.standing import near

    course = find_course()
    folder, stage = _meant(options.folder, course)
    folder = near(folder)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        meant = folder / stage.file if stage else folder
        subprocess.run([sys.executable, "-m", "pytest", str(meant)])
        print("\nThis is no terminal, so nothing is watched: it was judged once.")
        return
    with _alone(folder):
        _watch(folder, stage, course)


def _meant(given: Path, course: Course) -> tuple[Path, Stage | None]:
    """The folder of stages, and the stage to begin with if one was named."""
    if not given.is_file():
        return stages_in(given, course), None
    stage = course.stage_of(given)
    if stage is None:
        raise UserError(
            f"{given} is no stage: name a folder of stages, or a file such as s01_….py."
        )
    return given.parent, stage


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Raises UserError where the same folder is watched already."""
    from filelock import FileLock, Timeout

    name = sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        lock = FileLock(cache_folder() / f"watch-{name}.lock")
        with lock.acquire(timeout=0):
            yield
    except Timeout:
        raise UserError(
            f"{folder} is watched already: look for its window, and end it there with q."
        ) from None


def _watch(folder: Path, stage: Stage | None, course: Course) -> None:
    from rich.console import Console

    from token_journey.watch.desk import Desk
    from token_journey.watch.progress import Progress
    from token_journey.watch.terminal import keyboard

    progress = Progress.read(folder)
    if stage is not None:
        progress.stage = stage.name
    console = Console(markup=False, highlight=False, emoji=False)
    with keyboard() as keys:
        desk = Desk(
            progress,
            course,
            console,
            keys,
            {
                "e": lambda here: desk.lend(lambda: _edit(folder / here.file)),
                "w": lambda here: desk.lend(lambda: _walk(folder, here)),
            },
        )
        with suppress(KeyboardInterrupt):  # Ctrl-C is another way to quit
            desk.run()


def _edit(file: Path) -> None:
    """Open a file in $VISUAL, $EDITOR or VS Code. Raises UserError where there is none."""
    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    command = shlex.split(chosen) or (["code"] if shutil.which("code") else [])
    if not command:
        raise UserError(f"No editor is known: open {file} yourself, or set $EDITOR before watch.")
    try:
        subprocess.run([*command, str(file)])
    except OSError as error:
        raise UserError(f"{command[0]} can't be started ({error.strerror}): set $EDITOR.") from None


def _walk(folder: Path, stage: Stage) -> None:
    """The steps of the walk that this stage takes, with its numbers beside the model's."""
    from token_journey.journey.stations import steps_of
    from token_journey.packs.whole_model import fetched

    steps = steps_of(stage)
    # A whole model: SmolLM2 once it was fetched, else the tiny one that comes with the course.
    whole = fetched() and find_spec("transformers")
    model = ["The capital of France is"] if whole else ["--model", "witness-gqa"]
    asked = [word for step in steps for word in ("--step", step)]
    command = [sys.executable, "-m", "token_journey", "show", *model, "--impl", str(folder)]
    subprocess.run([*command, *asked])
    input("\nEnter goes back. ")
