"""The `token-journey` command.

Grading is plain pytest; what else the kit does is a subcommand, with a file of its own
here: `add` adds its parser and `run` runs it, and imports what it needs only then, so that
`--help` costs no torch.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from token_journey.commands import (
    capture,
    class_,
    cost,
    fetch,
    hint,
    matrix,
    notebook,
    rebuild,
    reset,
    shapes,
    show,
    solution,
    start,
    stubs,
    verify,
    watch,
)
from token_journey.commands.options import Parser
from token_journey.course.course import find_course
from token_journey.course.installed import refuse_damage
from token_journey.errors import PackError, UserError, not_installed
from token_journey.foreign import foreign
from token_journey.glyphs import write_plainly

_COMMANDS = (
    *(start, watch, hint, shapes, reset, solution, notebook),
    *(fetch, show, cost, class_),
    *(capture, verify, rebuild, stubs, matrix),
)

# More than any sentence of ours.
_LONGEST = 1500


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; 0, or 1 with one sentence on stderr."""
    for stream in (sys.stdout, sys.stderr):
        write_plainly(stream)
    parser = Parser(
        prog="token-journey",
        description="What the kata does beside grading. To grade, run pytest on your folder.",
    )
    commands = parser.add_subparsers(metavar="COMMAND")
    for command in _COMMANDS:
        command.add(commands)
    options = parser.parse_args(arguments)
    try:
        _run(options)
    except ModuleNotFoundError as error:
        if (missing := not_installed(error.name)) is None:
            raise
        print(f"token-journey: {missing}", file=sys.stderr)
        return 1
    except UserError as error:
        for note in getattr(error, "__notes__", ()):  # what comes before the one sentence
            print(note)
        print(f"token-journey: {foreign(str(error), _LONGEST)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("token-journey: interrupted; nothing was left half done.", file=sys.stderr)
        return 1
    except BrokenPipeError:  # who read has read enough, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _run(options: argparse.Namespace) -> None:
    try:
        if "run" in options:
            options.run(options)
        else:
            _stand()
    except PackError:
        refuse_damage(find_course(), packs=True)  # if that is why, it knows what mends it
        raise


def _stand() -> None:
    """Nothing was asked: where somebody stands, and what to type next."""
    from token_journey.watch.standing import standing

    print("\n".join(standing(Path(), find_course())))
