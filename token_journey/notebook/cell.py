"""A stage's cell as a file of the learner's folder: their file is never lost."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from token_journey.course.course import Course
from token_journey.course.notebook_cells import (
    imports_of,
    line_for_a_notebook,
    no_python,
    with_imports,
)
from token_journey.course.stage import Stage
from token_journey.course.stubs import keep_beside, lesson_of, stub_of
from token_journey.errors import UserError
from token_journey.files import write_whole
from token_journey.foreign import message_of

# In the place of the cell's first line, with which one knows what nobody has changed since.
_MARK = "  # line 1 of a cell, "


@dataclass(frozen=True)
class Written:
    """The file, how many lines are above the cell's first, and where one by hand is kept."""

    file: Path
    above: int
    kept: Path | None

    def in_cell(self, message: str) -> str:
        """A message about the file, as one about the cell."""

        def place(found: re.Match[str]) -> str:
            line = int(found[1]) - self.above
            return f"line {line} of your cell" if line > 0 else found[0]

        return re.sub(rf"\b{re.escape(self.file.name)}:(\d+)", place, message)


def write_cell(stage: Stage, source: str, folder: Path, course: Course) -> Written:
    """Write a cell as a stage file, below the stage's lesson. Raises UserError.

    source: the lines below that of the magic
    """
    if line := line_for_a_notebook(source):
        raise UserError(f"Nothing was judged, for {no_python(line)}.")
    if folder.resolve() == course.reference:
        raise UserError(f"{folder} is the reference: go to a folder of your own.")
    file = folder / stage.file
    stub = stub_of(stage, course.reference)
    lesson = lesson_of(stub)
    fresh = f"{lesson}\n{_below_imports(source, stub)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kept = _keep(file, fresh, stub)
        write_whole(file, fresh.encode())
    except (OSError, UnicodeError) as error:
        raise UserError(f"{file} can't be written ({message_of(error)}).") from None
    _forget(file)
    return Written(file, lesson.count("\n") + 1, kept)


def _below_imports(source: str, stub: str) -> str:
    """The cell below one line of imports, which stands for the line of the magic."""
    first, _, rest = with_imports(f"\n{source}", imports_of(stub)).partition("\n")
    return f"{first}{_MARK}{_digest(rest)}\n{rest}"


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:12]


def _keep(file: Path, fresh: str, stub: str) -> Path | None:
    """Where a file that somebody wrote by hand is kept; of what cells wrote the last one is."""
    if not file.is_file():
        return None
    old = file.read_bytes()
    if old in (fresh.encode("utf-8", "replace"), stub.encode()):
        return None
    if not _is_a_cell(old.decode("utf-8", "replace")):
        return keep_beside(old, file)
    write_whole(file.with_suffix(".cell.old.py"), old)
    return None


def _is_a_cell(old: str) -> bool:
    """Whether a file is as a cell wrote it."""
    _, mark, rest = old.partition(_MARK)
    digest, _, cell = rest.partition("\n")
    return bool(mark) and digest == _digest(cell)


def _forget(file: Path) -> None:
    """Who imports it in the notebook, as `from exercises.s03_rms_norm import …`, gets the new."""
    for name, module in [*sys.modules.items()]:
        if getattr(module, "__file__", None) == str(file):
            del sys.modules[name]
