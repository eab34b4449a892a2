"""Stages that were written in a notebook: a cell that begins with `%%stage rms_norm` is a stage.

Such a cell holds all of a stage's functions. What becomes a file is the cell as it stands, with
the stub's imports in the place of its first line, so that line 5 of the file is line 5 of the
cell, and what every stage file imports need not be written again.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from token_journey.course.stage import Stage

_MAGIC = re.compile(r"\s*%%stage\b[ \t]*(.*)")
# IPython's own: magics, lines for a shell, questions. `% y` and `!= z` may go on a line of Python.
_NO_PYTHON = re.compile(r"[ \t]*(%{1,2}[A-Za-z]|![^=]|\?\w)|.*[\w)]\?+[ \t]*$")
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
    try:
        for name, source in _cells(notebook):
            stage = _meant(name, stages)
            if stage is None:
                remarks.append(f"no stage is called {name!r}: a cell of that name is left out")
            elif line := next(filter(_NO_PYTHON.match, source.splitlines()), None):
                remarks.append(
                    f"a cell of {stage.title} is left out, for {line.strip()!r} is for a notebook "
                    "and not Python: put such lines into another cell"
                )
            else:
                if stage in sources:
                    remarks.append(f"{stage.title} is there twice: its last cell counts")
                sources[stage] = _with_imports(source, imports[stage])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        remarks.append("it can't be read as a notebook: save it again, as .ipynb")
    return StageCells(sources, tuple(dict.fromkeys(remarks)))


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


def _meant(name: str, stages: Sequence[Stage]) -> Stage | None:
    """`rms_norm`, `s03_rms_norm`, `s03_rms_norm.py` and 3 are all stage 3."""
    plain = name.removesuffix(".py").casefold()
    return next((s for s in stages if plain in (s.title, s.name, f"{s.number}")), None)


def _with_imports(source: str, imports: str) -> str:
    future = "; ".join(dict.fromkeys(_FUTURE.findall(source)))
    return "; ".join(filter(None, (future, imports))) + _FUTURE.sub("", source)
