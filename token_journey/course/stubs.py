"""Stubs: the solutions with their bodies taken out.

So every lesson has one source, its solution. `python -m token_journey.course.stubs` makes all
stubs, and leaves alone what a learner has written; `--reset 3` gives a fresh stage 3 and
keeps the old file beside it.
"""

from __future__ import annotations

import argparse
import ast
import itertools
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from token_journey.course.course import find_course
from token_journey.course.stage import Stage
from token_journey.errors import CourseError, StubError

Function = ast.FunctionDef | ast.AsyncFunctionDef


def make_stub(source: str) -> str:
    """A solution whose every function does nothing but raise NotImplementedError.

    Module docstring, imports, constants, classes, signatures and docstrings stay, letter
    by letter. Raises ValueError for a function without a docstring, which is all that a
    learner would have of it.
    """
    lines = source.split("\n")
    for function in reversed(functions(ast.parse(source))):
        docstring = function.body[0]
        if ast.get_docstring(function) is None:
            raise ValueError(f"`{function.name}` has no docstring to leave in its stub.")
        start, end = docstring.end_lineno, _end(function, lines)
        lines[start:end] = [" " * docstring.col_offset + "raise NotImplementedError"]
    return "\n".join(lines)


def functions(tree: ast.AST) -> list[Function]:
    """The functions and methods of a module, from top to bottom, without those inside them."""
    found: list[Function] = []
    for node in ast.iter_child_nodes(tree):
        found += [node] if isinstance(node, Function) else functions(node)
    return found


def _end(function: Function, lines: Sequence[str]) -> int | None:
    """How many lines come before what follows the body; comments at its end belong to it."""
    end = function.end_lineno
    assert end is not None
    for number, line in enumerate(lines[end:], end + 1):
        indent = len(line) - len(line.lstrip())
        if line.strip() and not (line.lstrip().startswith("#") and indent > function.col_offset):
            break
        if line.strip():
            end = number
    return end


def is_written(source: str) -> bool:
    """Whether it is more than a stub: a function is filled in, or Python can't read it yet."""
    try:
        found = functions(ast.parse(source))
    except SyntaxError:
        return True
    return not found or not all(map(_raises, found))


def _raises(function: Function) -> bool:
    """Whether a body is a stub's."""
    body = function.body[ast.get_docstring(function) is not None :]
    return [ast.unparse(statement) for statement in body] == ["raise NotImplementedError"]


# -- files --------------------------------------------------------------------


def write_stubs(solutions: Path, exercises: Path) -> list[Path]:
    """Write a stub of each solution; return the files that were left alone.

    Those are files in which something is written: nobody's work is lost.
    Raises StubError where there are no solutions.
    """
    exercises.mkdir(parents=True, exist_ok=True)
    left_alone = []
    for solution in _solutions(solutions).values():
        file = exercises / solution.name
        if file.exists() and is_written(file.read_text(encoding="utf-8", errors="replace")):
            left_alone.append(file)
        else:
            _replace(file, make_stub(solution.read_text(encoding="utf-8")))
    return left_alone


def reset(stage_number: int, solutions: Path, exercises: Path) -> tuple[Path, Path | None]:
    """Give a learner a fresh stub; return it and where the old file is kept.

    The old file is `s03_rms_norm.old.py` beside it, or `s03_rms_norm.2.old.py`, … where
    that name is taken; None where there was no file, or nothing but the fresh stub.
    Raises StubError for a number that no stage has.
    """
    by_number = _solutions(solutions)
    if stage_number not in by_number:
        raise _no_stage(stage_number, by_number)
    solution = by_number[stage_number]
    stub = make_stub(solution.read_text(encoding="utf-8"))
    file = exercises / solution.name
    exercises.mkdir(parents=True, exist_ok=True)
    old = file.read_bytes() if file.exists() else stub.encode()
    kept = _keep(old, file) if old != stub.encode() else None
    _replace(file, stub)
    return file, kept


def _solutions(folder: Path) -> dict[int, Path]:
    """The solutions by their stage's number."""
    files = {stage.number: f for f in sorted(folder.glob("*.py")) if (stage := Stage.of_file(f))}
    if not files:
        raise StubError(
            f"There are no solutions in {folder}, which stubs are made from: "
            f"restore them with `git checkout {folder.name}`."
        )
    return files


def _no_stage(given: object, numbers: Iterable[int]) -> StubError:
    first, *_, last = sorted(numbers)
    return StubError(f"STAGE={given} is not a stage: give a number from {first} to {last}.")


def _keep(old: bytes, file: Path) -> Path:
    """Write a learner's old file beside `file`, under a name that is free."""
    for kept in _names_of_old(file):
        try:
            with kept.open("xb") as stream:  # x: never over an earlier one
                stream.write(old)
            return kept
        except FileExistsError:
            continue
    raise AssertionError("there is always another name")


def _names_of_old(file: Path) -> Iterator[Path]:
    """Names with a dot in them: no stage file is called so."""
    yield file.with_suffix(".old.py")
    for number in itertools.count(2):
        yield file.with_suffix(f".{number}.old.py")


def _replace(file: Path, text: str) -> None:
    """Write a file that is there whole or not at all."""
    with tempfile.TemporaryDirectory(prefix=f".{file.stem}-", dir=file.parent) as scratch:
        fresh = Path(scratch, file.name)
        fresh.write_text(text, encoding="utf-8", newline="\n")
        os.replace(fresh, file)


# -- the command line ---------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Make stubs; 0, or 1 with one sentence on stderr."""
    parser = argparse.ArgumentParser(
        prog="python -m token_journey.course.stubs",
        description="Make the stubs of exercises/ from solutions/. Written files are left alone.",
    )
    parser.add_argument(
        "--reset", metavar="N", help="a fresh stub of stage N; the old file is kept"
    )
    wanted = parser.parse_args(arguments).reset
    try:
        _write_all() if wanted is None else _reset_one(wanted)
    except (StubError, CourseError) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename} can't be written: {error.strerror}.", file=sys.stderr)
        return 1
    return 0


def _write_all() -> None:
    course = find_course()
    left_alone = write_stubs(course.reference, course.exercises)
    for file in left_alone:
        print(
            f"{file.relative_to(course.home)} is written in and was left alone: "
            f"`make reset STAGE={Stage(file.stem).number}` gives a fresh stub and keeps it."
        )
    which = "The other" if left_alone else "All"
    print(f"{which} stubs in {course.exercises.relative_to(course.home)}/ are fresh.")


def _reset_one(wanted: str) -> None:
    course = find_course()
    try:
        number = int(wanted)
    except ValueError:
        raise _no_stage(wanted, _solutions(course.reference)) from None
    file, kept = reset(number, course.reference, course.exercises)
    print(f"{file.relative_to(course.home)} is a fresh stub.")
    if kept:
        print(f"Your old file is {kept.relative_to(course.home)}.")


if __name__ == "__main__":
    sys.exit(main())
