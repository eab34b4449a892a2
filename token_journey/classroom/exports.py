"""What comes out of the results, each by its name."""

from __future__ import annotations

import json
from collections.abc import Callable, Container
from pathlib import Path

from token_journey.classroom import tables
from token_journey.classroom.class_list import ClassList, StudentRow
from token_journey.classroom.gradescope import gradescope
from token_journey.classroom.junit import junit
from token_journey.classroom.pages.feedback import feedback, file_of
from token_journey.classroom.pages.overview import overview
from token_journey.classroom.results import cannot_write, write
from token_journey.course.course import Course
from token_journey.drawing import vega
from token_journey.files import replacing

_FILES: dict[str, tuple[str, Callable[[ClassList, Course], str]]] = {
    "grades": ("grades.csv", lambda rows, _: tables.grades(rows)),
    "moodle": ("moodle.csv", lambda rows, _: tables.moodle(rows)),
    "canvas": ("canvas.csv", lambda rows, _: tables.canvas(rows)),
    "overview": ("overview.html", overview),
}
# A file each: what it ends in, and what is in it.
_EACH: dict[str, tuple[str, Callable[[StudentRow, ClassList, Course], str | bytes]]] = {
    "junit": (".xml", lambda row, rows, course: junit(row)),
    "gradescope": (
        ".json",
        lambda row, rows, _: json.dumps(gradescope(row, rows.points), indent=1),
    ),
    "feedback": (
        ".html",
        lambda row, rows, course: feedback(row, tables.number(rows.most), course),
    ),
}
NAMES = (*_FILES, *_EACH)


def prepare(names: Container[str]) -> None:
    """Begin what takes long. Raises ModuleNotFoundError for what is not installed."""
    if "overview" in names:
        vega.start()


def export(name: str, rows: ClassList, course: Course, out: Path) -> Path:
    """Write a file or a folder, whole or not at all, and return it. Raises ClassError."""
    if name in _FILES:
        file, made = _FILES[name]
        write(out / file, made(rows, course))
        return out / file
    ending, made_each = _EACH[name]
    try:
        with replacing(out / name) as fresh:
            for row in rows:
                write(fresh / f"{file_of(row)}{ending}", made_each(row, rows, course))
    except OSError as error:
        raise cannot_write(out / name, error) from None
    return out / name
