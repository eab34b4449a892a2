"""`token-journey show`: walk a sentence, in the terminal or as a page."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from token_journey.commands.options import model, path
from token_journey.course.course import find_course
from token_journey.errors import JourneyError, no_text
from token_journey.files import write_whole
from token_journey.foreign import foreign
from token_journey.journey.stations import STATIONS

if TYPE_CHECKING:
    from token_journey.journey.journey import Journey
    from token_journey.journey.opening import WalkableModel

# More bytes than any text that can be walked.
_MOST_BYTES = 100_000


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "show", help="walk a sentence through a model, number by number; Aitana's if none is given"
    )
    add = parser.add_argument
    add("text", nargs="?", metavar="TEXT", help="the sentence; - reads it from a pipe")
    add(
        "--model",
        type=model,
        metavar="MODEL",
        help="smollm2 (default), a pack, a checkpoint or a name on the hub",
    )
    add("--revision", metavar="COMMIT", help="of a repository on the hub")
    add("--impl", type=path, metavar="FOLDER", help="walk it with these stages, e.g. exercises")
    add("--layer", type=int, default=0, metavar="N", help="the layer to look into (default: 0)")
    add(
        "--step",
        action="append",
        default=[],
        metavar="STEP",
        help=f"show this step only (repeat): {', '.join(station.key for station in STATIONS)}",
    )
    add("--all", action="store_true", help="every station with its numbers, through your pager")
    add("--html", type=path, metavar="FILE", help="write a page instead")
    add("--open", action="store_true", help="open the page in a browser")
    add("--force", action="store_true", help="replace a page that is there")
    add("--temperature", type=float, default=0.8, help="how the sentence goes on (default: 0.8)")
    add("--top-k", type=int, default=0, metavar="K", help="0 (default) keeps all tokens")
    add("--top-p", type=float, default=0.95, metavar="P", help="default: 0.95")
    add("--seed", type=int, default=0, help="other seeds, other continuations (default: 0)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Raises JourneyError, and what opening a model raises."""
    from rich.console import Console

    from token_journey.journey.terminal.show import show
    from token_journey.journey.terminal.summary import summary

    _refuse_unknown(options.step)
    text = _text(options.text)
    page = _page_file(options)
    _refuse_no_stages(options.impl)
    with _model(options, text) as model:
        journey = replace(model.walk(text, options.layer, options.impl), command=_command(options))
    if page is None:
        console = Console(markup=False)
        if not options.all and not options.step:
            summary(journey, console)
        elif options.all and console.is_terminal:
            with console.pager(styles=True):
                show(journey, console, options.step)
        else:
            show(journey, console, options.step)
        return
    _write(page, journey)
    print(f"{page} is written.")
    if options.open and not webbrowser.open(page.resolve().as_uri()):
        print("No browser was found: open the file in one.")


def _command(options: argparse.Namespace) -> str:
    """What makes the same page again."""
    chosen = {
        "model": options.model,
        "revision": options.revision,
        "impl": options.impl,
        "layer": options.layer or None,
        "html": "walk.html",
    }
    words = ["token-journey", "show", *([options.text] if options.text else [])]
    for name, value in chosen.items():
        words += [f"--{name}", str(value)] if value is not None else []
    return foreign(shlex.join(words), 1000)


def _refuse_unknown(steps: list[str]) -> None:
    known = [station.key for station in STATIONS]
    for step in steps:
        if step not in known:
            raise JourneyError(f"There is no step {step!r}; there are: {', '.join(known)}.")


def _refuse_no_stages(folder: Path | None) -> None:
    """Said before a model is opened."""
    if folder is not None:
        from token_journey.journey.sources.from_stages import refuse_no_stages

        refuse_no_stages(folder, find_course())


def _text(given: str | None) -> str | None:
    """The sentence; `-` stands for what comes through a pipe."""
    if given is None:
        return None
    if given == "-":
        content = sys.stdin.buffer.read(_MOST_BYTES + 1)
        try:
            given = content.decode().removesuffix("\n")
        except UnicodeDecodeError as error:
            if len(content) <= _MOST_BYTES:
                raise JourneyError(
                    f"What came through the pipe is not UTF-8 text (byte {error.start}): "
                    "save it as UTF-8."
                ) from None
            given = content.decode(errors="replace")
    elif any("\ud800" <= character <= "\udfff" for character in given):
        raise JourneyError("The text is not UTF-8: type it anew, or send it through a pipe with -.")
    if len(given.encode()) > _MOST_BYTES - 1:
        raise JourneyError(
            f"The text is longer than {_MOST_BYTES - 1:,} bytes: give a sentence or a paragraph."
        )
    if not given.strip():
        raise no_text()
    return given


@contextmanager
def _model(options: argparse.Namespace, text: str | None) -> Iterator[WalkableModel]:
    from token_journey.journey.opening import SMOLLM2, opened, published
    from token_journey.journey.sources.settings import Settings

    settings = Settings(options.temperature, options.top_k, options.top_p, options.seed)
    course = find_course()
    name = options.model
    if name is None and text is None and options.impl is None:
        yield published(course)
        return
    if text is None and name in (None, SMOLLM2):
        raise no_text()
    with opened(name or SMOLLM2, course, settings, options.revision) as model:
        yield model


# -- the page ---------------------------------------------------------------------------------


def _page_file(options: argparse.Namespace) -> Path | None:
    """Where the page is to be written, if one is wanted; said before anything is computed."""
    file: Path | None = options.html
    if file is None:
        return (
            Path(tempfile.mkdtemp(prefix="token-journey-")) / "walk.html" if options.open else None
        )
    if file.is_dir():
        raise JourneyError(f"{file} is a folder: name a file in it, such as {file / 'walk.html'}.")
    if file.exists() and not options.force:
        raise JourneyError(f"{file} is there already: add --force to replace it.")
    if not file.parent.is_dir():
        raise JourneyError(f"There is no folder {file.parent}: make it, or name another file.")
    if not os.access(file.parent, os.W_OK) or (file.exists() and not os.access(file, os.W_OK)):
        raise JourneyError(f"{file} can't be written: name a file in a folder of yours.")
    from token_journey.drawing.vega import start

    start()
    return file


def _write(file: Path, journey: Journey) -> None:
    """The page, whole or not at all."""
    from token_journey.journey.page.page import page

    try:
        write_whole(file, page(journey).encode())
    except OSError as error:
        raise JourneyError(f"{file} can't be written: {error.strerror}.") from None
