"""Whose hand-ins lie in a folder, as a person, Moodle, Canvas or Gradescope leaves them.

maria/ · maria.zip · maria.ipynb · maria_s03_rms_norm.py      a person
Maria Soler_4711_assignsubmission_file_/                      Moodle, with or without folders
solermaria_LATE_4711_99_s03_rms_norm-1.py                     Canvas
submission_4711/                                              Gradescope
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from token_journey.classroom.unpacking import (
    ARCHIVES,
    Refused,
    is_archive,
    is_foreign,
    is_skipped,
    of_a_class,
    unpack,
)
from token_journey.course.course import Course
from token_journey.errors import ClassError

_MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_(?:file|onlinetext)_?")
_CANVAS = re.compile(r"(?P<name>[^_]+)(?:_LATE)?_(?P<number>\d+)_\d+_")
_GRADESCOPE = re.compile(r"(?P<name>submission_(?P<number>\d+))$")
_LOOSE = re.compile(r"(?P<name>.+?)[ _.-]+(?=s\d\d_\w+( ?\(\d+\)|-\d+)?\.py$)", re.IGNORECASE)
_STAGE = re.compile(r"s\d\d_\w+( ?\(\d+\)|-\d+)?\.py$", re.IGNORECASE)


@dataclass(frozen=True)
class HandIn:
    """What one person handed in: `key` is its only name, `number` the one that a site gave.

    files: each with what it is called without the name of a person
    """

    key: str
    name: str
    number: str
    files: tuple[tuple[Path, str], ...]


@contextmanager
def found_in(place: Path, course: Course) -> Iterator[list[HandIn]]:
    """All hand-ins, by key. An archive is unpacked for as long as the block runs.

    Raises ClassError for what holds none, or can't be read.
    """
    if not place.exists():
        raise ClassError(f"{place} is not there: name the folder or archive of the hand-ins.")
    with TemporaryDirectory(prefix="token-journey-") as scratch:
        folder = place
        if place.is_file():
            folder = _unpacked(place, Path(scratch))
        try:
            hand_ins = _grouped(folder, course)
        except OSError as error:
            raise ClassError(f"{place} can't be read ({error.strerror}): allow it.") from None
        if not hand_ins:
            raise ClassError(
                f"There is nothing in {place}: it should hold a folder, an archive, a notebook or "
                "files for each student."
            )
        yield hand_ins


def _unpacked(archive: Path, scratch: Path) -> Path:
    if not is_archive(archive.name):
        raise ClassError(f"{archive} is no folder, zip or tar: name one that holds the hand-ins.")
    try:
        unpack(archive, scratch, of_a_class())
    except Refused as refused:
        raise ClassError(f"{archive} is not opened: {refused}.") from None
    except OSError as error:
        raise ClassError(f"{archive} can't be unpacked: {error.strerror}.") from None
    inside = sorted(scratch.iterdir())
    # What was packed with its folder around it.
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else scratch


def _grouped(folder: Path, course: Course) -> list[HandIn]:
    entries = sorted(e for e in folder.iterdir() if not is_skipped(e.name))
    if any(_STAGE.match(e.name) and e.is_file() for e in entries):  # it is one itself
        name = plain(folder.resolve().name)
        return [HandIn(name, name, "", tuple((e, e.name) for e in entries))]
    groups: dict[str, list[tuple[Path, str]]] = {}
    names: dict[str, tuple[str, str]] = {}
    for entry in entries:
        if not (entry.is_dir() or entry.is_symlink() or _belongs(entry.name)):
            continue
        key, name, number, rest = _whose(entry)
        groups.setdefault(key, []).append((entry, rest))
        names[key] = name, number
    return [HandIn(key, *names[key], tuple(groups[key])) for key in sorted(groups)]


def _belongs(name: str) -> bool:
    """Whether a loose file is somebody's: not a roster, nor a note of the instructor's."""
    known = any(form.match(name) for form in (_MOODLE, _CANVAS, _LOOSE))
    return known or is_archive(name) or is_foreign(name) or name.casefold().endswith(".ipynb")


def _whose(entry: Path) -> tuple[str, str, str, str]:
    """Key, name, number, and what the file is called without them."""
    said = plain(entry.name)
    for form in (_MOODLE, _CANVAS, _GRADESCOPE, _LOOSE):
        if found := form.match(said):
            number = found.groupdict().get("number") or ""
            name = found["name"]
            return f"{name} {number}".strip(), name, number, said[found.end() :] or said
    suffixes = (*ARCHIVES, ".ipynb", ".rar", ".7z")
    name = said
    if not entry.is_dir():
        name = next((said[: -len(s)] for s in suffixes if said.casefold().endswith(s)), said)
    return name, name, "", said


def plain(name: str) -> str:
    """A file's name as text: of what is no UTF-8, and would be no text, signs that say so."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return unicodedata.normalize("NFC", text).strip()
