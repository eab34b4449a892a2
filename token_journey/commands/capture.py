"""`token-journey capture`: options in, sentences out."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from token_journey.commands.options import model, path, text
from token_journey.course.course import Course, find_course
from token_journey.errors import CheckpointError
from token_journey.foreign import foreign


def add(commands: Any) -> None:
    parser = commands.add_parser("capture", help="make a pack of a model, from its checkpoint")
    add = parser.add_argument
    add(
        "model",
        type=model,
        metavar="MODEL",
        help="a folder, gplsi/Aitana-2B-S or another name on the hub",
    )
    add("--revision", metavar="COMMIT", help="of a repository on the hub")
    texts = parser.add_mutually_exclusive_group()
    texts.add_argument(
        "--prompt", type=text, action="append", metavar="TEXT", help="may be repeated"
    )
    texts.add_argument("--prompts", type=path, metavar="FILE", help="a text on every line")
    add("--layers", metavar="0,11,23", help="which to keep, or all; the walk ends with the last")
    add("--out", type=path, metavar="DIR", help="the pack (default: a folder named as the model)")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute")
    add("--stream", action="store_true", help="one layer in memory at a time, on any laptop")
    add("--slice", action="store_true", help="keep some heads, neurons and rows of each layer")
    add("--held-back", action="store_true", help="grading will not show what this pack expects")
    add("--dry-run", action="store_true", help="say what would be read, and stop")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Raises CheckpointError, PackError, CourseError."""
    from token_journey.capture.capture import Order, capture, plan_for
    from token_journey.capture.plan import megabytes
    from token_journey.packs.pack import Pack
    from token_journey.packs.verify import figures_of, report

    course = find_course()
    order = Order(
        model=options.model,
        prompts=_prompts(options, course),
        revision=options.revision,
        layers=_layers(options.layers),
        device=options.device,
        streamed=options.stream,
        sliced=options.slice,
        held_back=options.held_back,
    )
    plan = plan_for(order)
    out = options.out or Path(_folder_for(_named(options.model)))
    print(plan.describe())
    if options.dry_run:
        return
    try:
        capture(order, plan, out)
    except KeyboardInterrupt:
        raise CheckpointError(
            "Interrupted; the same command goes on after the last layer that was finished."
        ) from None
    weight = sum(path.stat().st_size for path in out.iterdir())
    print(f"\n{foreign(str(out))} holds the pack, {megabytes(weight)}.")
    if plan.streamed:
        print(f"{megabytes(plan.checkpoint.weights_read)} of weights were read.")
    pack = Pack(out)
    if figures_of(pack.model["id"], course.packs):
        print(f"\n{report(pack, course.packs)}")


def _prompts(options: argparse.Namespace, course: Course) -> dict[str, str]:
    from token_journey.packs.verify import figures_of

    texts = options.prompt
    if options.prompts:
        try:
            lines = options.prompts.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise CheckpointError(f"{options.prompts} can't be read ({error}).") from None
        texts = [line for line in lines if line.strip()]
    figures = figures_of(_named(options.model), course.packs)
    if not texts and figures:  # so that what was published can be held against what comes out
        return {name: prompt.text for name, prompt in figures.prompts.items()}
    if not texts:
        raise CheckpointError("There is no prompt: give one with --prompt, or a file of them.")
    return {f"p{n}": text for n, text in enumerate(texts, 1)}


def _layers(given: str | None) -> tuple[int, ...] | str | None:
    if given is None or given == "all":
        return given
    try:
        return tuple(int(number) for number in given.split(","))
    except ValueError:
        raise CheckpointError(
            f"--layers takes numbers such as 0,11,23, or all; not {given!r}."
        ) from None


def _named(model: str) -> str:
    """What the pack will call the model: a folder has a name, whatever the way to it."""
    from token_journey.models.source import LocalFolder

    return str(LocalFolder(Path(model)).origin["id"]) if Path(model).is_dir() else model


def _folder_for(name: str) -> str:
    return name.rstrip("/").rpartition("/")[2].lower() or "pack"
