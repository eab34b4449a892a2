"""Stubs: the solutions with their bodies taken out.

So every lesson has one source, its solution. `token-journey stubs` makes all stubs, and
leaves alone what a learner has written; `token-journey reset 3` gives a fresh stage 3 and keeps
the old file beside it.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from token_journey.course.stage import Stage
from token_journey.errors import StubError
from token_journey.files import write_whole

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


def stub_of(stage: Stage, solutions: Path) -> str:
    return make_stub((solutions / stage.file).read_text(encoding="utf-8"))


def lesson_of(source: str) -> str:
    """The lines of a stage file's lesson, letter by letter."""
    end = ast.parse(source).body[0].end_lineno
    return "\n".join(source.split("\n")[:end])


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
    Raises StubError where there are no solutions, or a file can't be read or written.
    """
    left_alone = []
    with _sentences():
        exercises.mkdir(parents=True, exist_ok=True)
        for solution in _solutions(solutions).values():
            file = exercises / solution.name
            if file.exists() and is_written(file.read_text(encoding="utf-8", errors="replace")):
                left_alone.append(file)
            else:
                write_whole(file, _stub_of(solution))
    return left_alone


def reset(given: str, solutions: Path, exercises: Path) -> tuple[Path, Path | None]:
    """Give a learner a fresh stub; return it and where the old file is kept.

    given: the stage's number, as it was typed

    The old file is `s03_rms_norm.old.py` beside it, or `s03_rms_norm.2.old.py`, … where
    that name is taken; None where there was no file, or nothing but the fresh stub.
    Raises StubError for a number that no stage has, or a file that can't be read or written.
    """
    reference = solution(given, solutions)
    file = exercises / reference.name
    with _sentences():
        stub = _stub_of(reference)
        exercises.mkdir(parents=True, exist_ok=True)
        old = file.read_bytes() if file.exists() else stub
        kept = keep_beside(old, file) if old != stub else None
        write_whole(file, stub)
    return file, kept


def solution(given: str, solutions: Path) -> Path:
    """The reference of the stage that somebody means. Raises StubError where there is none."""
    by_number = _solutions(solutions)
    try:
        return by_number[int(given)]
    except (ValueError, KeyError):
        first, *_, last = sorted(by_number)
        raise StubError(
            f"{f'There is no stage {given}'.rstrip()}: give a number from {first} to {last}."
        ) from None


@contextmanager
def _sentences() -> Iterator[None]:
    """What the system says of a file, as one sentence."""
    try:
        yield
    except OSError as error:
        raise StubError(f"{error.filename} can't be written: {error.strerror}.") from None


def _stub_of(solution: Path) -> bytes:
    try:
        return make_stub(solution.read_text(encoding="utf-8")).encode()
    except (SyntaxError, ValueError) as error:
        raise StubError(f"No stub can be made of {solution}: {error}") from None


def _solutions(folder: Path) -> dict[int, Path]:
    """The solutions by their stage's number."""
    files = {stage.number: f for f in sorted(folder.glob("*.py")) if (stage := Stage.of_file(f))}
    if not files:
        raise StubError(
            f"There are no solutions in {folder}, which stubs are made from: "
            f"restore them with `git checkout {folder.name}`."
        )
    return files


def keep_beside(old: bytes, file: Path) -> Path:
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
