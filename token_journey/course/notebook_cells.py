"""Stages that were written in a notebook: a cell that begins with `%%stage rms_norm` is a stage.

Such a cell holds all of a stage's functions. What becomes a file is the cell as it stands, with
the stub's imports in the place of its first line, so that line 5 of the file is line 5 of the
cell, and what every stage file imports need not be written again.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

from token_journey.course.course import Course
from token_journey.course.stage import Stage
from token_journey.course.stubs import stub_of

_MAGIC = re.compile(r"\s*%%stage\b[ \t]*(.*)")
# IPython's own, on a line that Python can't read: magics, lines for a shell, questions.
_NO_PYTHON = re.compile(r"[ \t]*[%!?]|.*=[ \t]*[%!]|.*\?[ \t]*$")
# More than any notebook that people learn with, its pictures included.
_MOST_BYTES = 32 << 20
_FUTURE = re.compile(r"^from __future__ import .*$", re.MULTILINE)


@dataclass(frozen=True)
class StageCells:
    """The sources of a notebook's stages, and a sentence for each thing to know about them."""

    sources: dict[Stage, str]
    remarks: tuple[str, ...]


def stage_cells(notebook: bytes, stages: Sequence[Stage], imports: dict[Stage, str]) -> StageCells:
    """The last cell of each stage. Nothing of a notebook is run.

    imports: for each stage what `imports_of` says of its stub
    """
    sources: dict[Stage, str] = {}
    remarks: list[str] = []
    twice: list[str] = []
    try:
        for name, source in _cells(notebook):
            stage = stage_called(name, stages)
            if stage is None:
                remarks.append(f"no stage is called {name!r}: a cell of that name is left out")
            elif line := line_for_a_notebook(source):
                remarks.append(f"a cell of {stage.title} is left out, for {no_python(line)}")
            else:
                if stage in sources:
                    twice.append(stage.title)
                sources[stage] = with_imports(source, imports[stage])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        remarks.append("it can't be read as a notebook: save it again, as .ipynb")
    if twice:
        remarks.append(f"the last cell of a stage counts: {', '.join(dict.fromkeys(twice))}")
    return StageCells(sources, tuple(dict.fromkeys(remarks)))


def holds_stage_cells(file: Path) -> bool:
    """Whether a file is a notebook, however damaged, with something like a stage cell in it."""
    with suppress(OSError):
        if file.suffix == ".ipynb" and file.is_file() and file.stat().st_size < _MOST_BYTES:
            return b"%%stage" in file.read_bytes()
    return False


@cache
def stub_imports(course: Course) -> dict[Stage, str]:
    """What each stub imports: nothing where there is no reference to make stubs of."""
    if not course.reference.is_dir():
        return dict.fromkeys(course.stages(), "")
    return {stage: imports_of(stub_of(stage, course.reference)) for stage in course.stages()}


def imports_of(stub: str) -> str:
    """The imports of a stage file in one line, for the first line of a cell."""
    body = ast.parse(stub).body
    return "; ".join(ast.unparse(n) for n in body if isinstance(n, ast.Import | ast.ImportFrom))


def _cells(notebook: bytes) -> Iterator[tuple[str, str]]:
    """Name and source, below the line of the magic, of each stage cell."""
    for cell in json.loads(notebook)["cells"]:
        found = _MAGIC.match(source) if (source := _source(cell)) else None
        if found:
            lines_above = source[: found.start(1)].count("\n")
            yield found[1].strip(), "\n" * lines_above + source[found.end() :]


def _source(cell: Any) -> str:
    if cell["cell_type"] != "code":
        return ""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def stage_called(name: str, stages: Iterable[Stage]) -> Stage | None:
    """`rms_norm`, `s03_rms_norm`, `s03_rms_norm.py` and 3 are all stage 3."""
    plain = name.removesuffix(".py").casefold()
    return next((s for s in stages if plain in (s.title, s.name, f"{s.number}")), None)


def line_for_a_notebook(source: str) -> str | None:
    """The line that keeps Python from reading a cell, if it is IPython's and no mistake."""
    try:
        with catch_warnings():
            simplefilter("ignore")  # who runs it may hear of them
            ast.parse(source)
    except SyntaxError as error:
        line = "".join(source.split("\n")[(error.lineno or 1) - 1 :][:1])
        return line.strip() if _NO_PYTHON.match(line) else None
    except (ValueError, RecursionError, MemoryError):  # who runs it will say so
        return None
    return None


def no_python(line: str) -> str:
    return f"{line!r} is for a notebook and not Python: put such lines into another cell"


def with_imports(source: str, imports: str) -> str:
    future = "; ".join(dict.fromkeys(_FUTURE.findall(source)))
    return "; ".join(filter(None, (future, imports))) + _FUTURE.sub("", source)
