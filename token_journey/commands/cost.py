"""`token-journey cost`: measure, or read what was measured, and say what it costs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from token_journey.commands.options import path
from token_journey.errors import CostError, install
from token_journey.foreign import foreign

if TYPE_CHECKING:
    from token_journey.cost.profile import Profile


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "cost", help="what each step of Aitana-2B-S costs on this machine, in your code"
    )
    parser.add_argument(
        "path",
        nargs="?",
        type=path,
        metavar="PATH",
        help="a folder of stages to measure, or a file that --benchmark-json wrote "
        "(default: the reference)",
    )
    parser.add_argument("--by", metavar="FOLDER", help="whose, where a file holds several")
    parser.add_argument("--tokens", type=int, default=512, help="5, 64, 512 (default) or 2048")
    parser.add_argument(
        "--step", action="append", default=[], metavar="STEP", help="show this row only (repeat)"
    )
    parser.add_argument("--html", type=path, metavar="FILE", help="write a page with pictures")
    parser.add_argument("--png", type=path, metavar="FILE", help="write the pictures on one sheet")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print the table and the words; write the pictures where they are asked for.

    Raises CostError for whatever a user can mend, and CourseError.
    """
    try:
        _run(options)
    except ModuleNotFoundError as error:
        raise CostError(
            f"This needs {error.name}, which is not installed: {install('cost')}."
        ) from None


def _run(options: argparse.Namespace) -> None:
    import pytest_benchmark  # noqa: F401  (what measures in another process)
    from rich.console import Console

    from token_journey.cost.page import page
    from token_journey.cost.plots import png
    from token_journey.cost.report import print_table, words

    _refuse_unknown(options.step)
    for file in filter(None, (options.html, options.png)):
        _refuse_what_can_not_be_written(file)
    profile, by = _measured(options)
    tokens = _tokens(profile, by, options.tokens)
    console = Console(markup=False)
    print_table(console, profile, by, tokens, frozenset(options.step))
    for sentence in words(profile, by, tokens):
        console.print(sentence, highlight=False)
    if options.html is not None:
        _write(options.html, page(profile, by, tokens).encode())
    if options.png is not None:
        _write(options.png, png(profile, by, words(profile, by, tokens)))


def _refuse_unknown(steps: list[str]) -> None:
    from token_journey.cost.forward import PARTS

    unknown = [step for step in steps if step not in PARTS]
    if unknown:
        raise CostError(f"There is no step {unknown[0]!r}; there are: {', '.join(PARTS)}.")


def _measured(options: argparse.Namespace) -> tuple[Profile, str]:
    """What is shown, and whose it is."""
    from token_journey.cost.benches import TOKENS
    from token_journey.cost.measure import measure
    from token_journey.cost.profile import Profile
    from token_journey.course.course import find_course

    course = find_course()
    path = options.path or course.reference
    if path.is_dir() and not course.holds_stages(path):
        raise CostError(f"There are no stages in {path}: name a folder such as exercises.")
    if not path.is_file() and options.tokens not in TOKENS:
        raise CostError(
            f"Nothing is measured at {options.tokens} tokens: choose one of "
            f"{', '.join(map(str, TOKENS))} with --tokens."
        )
    profile = Profile.read(path) if path.is_file() else measure(path)
    names = profile.implementations
    by = options.by or next(iter(names), None)
    if by not in names:
        raise CostError(
            f"{path} holds nothing by {by or 'anybody'}; there is: {', '.join(names) or 'nothing'}."
        )
    return profile, by


def _tokens(profile: Profile, by: str, tokens: int) -> int:
    from token_journey.cost.forward import forward_pass, measured_at

    sizes = measured_at(profile, by, "norm")
    if tokens not in sizes or not forward_pass(profile, by, tokens):
        raise CostError(
            f"Nothing was measured at {tokens} tokens: choose one of "
            f"{', '.join(map(str, sizes)) or 'a benchmark of Aitana-2B-S'} with --tokens."
        )
    return tokens


def _refuse_what_can_not_be_written(file: Path) -> None:
    """Said before anything is measured."""
    if file.is_dir() or not file.parent.is_dir():
        why = "it is a folder" if file.is_dir() else f"there is no folder {file.parent}"
        raise CostError(f"{file} can't be written: {why}.")


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise CostError(f"{file} can't be written: {error.strerror}.") from None
    print(f"{foreign(str(file))} is written.")
