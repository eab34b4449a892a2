"""The `token-journey` command.

Grading is plain pytest; what else the kit does is a subcommand here. Each is a
function that adds its parser and names the function that runs it, which imports
what it needs only then: `--help` costs no torch.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from token_journey.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; 0, or 1 with one sentence on stderr."""
    parser = argparse.ArgumentParser(
        prog="token-journey",
        description="What the kata does beside grading. To grade, run pytest on your folder.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in (_add_fetch, _add_rebuild, _add_capture, _add_verify, _add_cost, _add_show):
        add(commands)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except UserError as error:
        for note in getattr(error, "__notes__", ()):  # what comes before the one sentence
            print(note)
        print(f"token-journey: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("token-journey: interrupted; nothing was left half done.", file=sys.stderr)
        return 1
    return 0


def _add_fetch(commands: Any) -> None:
    parser = commands.add_parser("fetch", help="fetch the whole SmolLM2-135M-Instruct (93 MB)")
    parser.set_defaults(run=_fetch)


def _fetch(_: argparse.Namespace) -> None:
    from token_journey.models.fetch import fetch

    print(f"SmolLM2-135M-Instruct lies in {fetch()}")


def _add_rebuild(commands: Any) -> None:
    from token_journey.capture.recipes.rebuild import RECIPES

    parser = commands.add_parser("rebuild", help="make the shipped packs again")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"all if not given: {', '.join(RECIPES)}"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where to put them (default: packs/)"
    )
    parser.set_defaults(run=_rebuild)


def _rebuild(options: argparse.Namespace) -> None:
    from token_journey.capture.recipes.rebuild import RECIPES, rebuild
    from token_journey.course.course import find_course

    names = options.names or list(RECIPES)
    folder = options.out or find_course().packs
    rebuild(names, folder)
    for name in names:
        print(f"{name} lies in {folder / name}")


def _add_capture(commands: Any) -> None:
    parser = commands.add_parser("capture", help="make a pack of a model, from its checkpoint")
    add = parser.add_argument
    add("model", metavar="MODEL", help="a folder, gplsi/Aitana-2B-S or another name on the hub")
    add("--revision", metavar="COMMIT", help="of a repository on the hub")
    texts = parser.add_mutually_exclusive_group()
    texts.add_argument("--prompt", action="append", metavar="TEXT", help="may be repeated")
    texts.add_argument("--prompts", type=Path, metavar="FILE", help="a text on every line")
    add("--layers", metavar="0,11,23", help="which to keep, or all; the walk ends with the last")
    add("--out", type=Path, metavar="DIR", help="the pack (default: a folder named as the model)")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute")
    add("--stream", action="store_true", help="one layer in memory at a time, on any laptop")
    add("--slice", action="store_true", help="keep some heads, neurons and rows of each layer")
    add("--held-back", action="store_true", help="grading will not show what this pack expects")
    add("--dry-run", action="store_true", help="say what would be read, and stop")
    parser.set_defaults(run=_capture)


def _capture(options: argparse.Namespace) -> None:
    from token_journey.commands.capture import run

    run(options)


def _add_verify(commands: Any) -> None:
    parser = commands.add_parser("verify", help="hold a captured pack against published figures")
    parser.add_argument("pack", type=Path, metavar="PACK", help="the pack's folder")
    parser.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> None:
    from token_journey.course.course import find_course
    from token_journey.packs.pack import Pack
    from token_journey.packs.verify import report

    print(report(Pack(options.pack), find_course().packs))


def _add_cost(commands: Any) -> None:
    parser = commands.add_parser(
        "cost", help="what each step of Aitana-2B-S costs on this machine, in your code"
    )
    parser.add_argument(
        "path",
        nargs="?",
        type=Path,
        metavar="PATH",
        help="a folder of stages to measure, or a file that --benchmark-json wrote "
        "(default: the reference)",
    )
    parser.add_argument("--by", metavar="FOLDER", help="whose, where a file holds several")
    parser.add_argument("--tokens", type=int, default=512, help="5, 64, 512 (default) or 2048")
    parser.add_argument(
        "--step", action="append", default=[], metavar="STEP", help="show this row only (repeat)"
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with pictures")
    parser.add_argument("--png", type=Path, metavar="FILE", help="write the pictures on one sheet")
    parser.set_defaults(run=_cost)


def _cost(options: argparse.Namespace) -> None:
    from token_journey.course.course import find_course
    from token_journey.errors import CostError

    try:
        from token_journey.commands.cost import cost
    except ImportError as error:
        raise CostError(f"{error.name} is not installed: pip install -e '.[cost]'.") from None
    cost(
        options.path or find_course().reference,
        by=options.by,
        tokens=options.tokens,
        steps=options.step,
        html=options.html,
        png_file=options.png,
    )


def _add_show(commands: Any) -> None:
    from token_journey.journey.stations import STATIONS

    parser = commands.add_parser(
        "show", help="walk a sentence through a model, number by number; Aitana's if none is given"
    )
    add = parser.add_argument
    add("text", nargs="?", metavar="TEXT", help="the sentence; - reads it from a pipe")
    add(
        "--model",
        metavar="MODEL",
        help="smollm2 (default), a pack, a checkpoint or a name on the hub",
    )
    add("--revision", metavar="COMMIT", help="of a repository on the hub")
    add("--impl", type=Path, metavar="FOLDER", help="walk it with these stages, e.g. exercises")
    add("--layer", type=int, default=0, metavar="N", help="the layer to look into (default: 0)")
    add(
        "--step",
        action="append",
        default=[],
        metavar="STEP",
        help=f"show this step only (repeat): {', '.join(station.key for station in STATIONS)}",
    )
    add("--html", type=Path, metavar="FILE", help="write a page instead")
    add("--open", action="store_true", help="open the page in a browser")
    add("--force", action="store_true", help="replace a page that is there")
    add("--temperature", type=float, default=0.8, help="how the sentence goes on (default: 0.8)")
    add("--top-k", type=int, default=0, metavar="K", help="0 (default) keeps all tokens")
    add("--top-p", type=float, default=0.95, metavar="P", help="default: 0.95")
    add("--seed", type=int, default=0, help="other seeds, other continuations (default: 0)")
    parser.set_defaults(run=_show)


def _show(options: argparse.Namespace) -> None:
    from token_journey.commands.show import run

    run(options)
