"""What counts of a hand-in: its most complete set of stages. Nothing of it is run here."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from token_journey.classroom.hand_ins import HandIn, plain
from token_journey.classroom.likeness import nobodys
from token_journey.classroom.unpacking import (
    Limits,
    Refused,
    is_archive,
    is_foreign,
    is_skipped,
    of_a_hand_in,
    unpack,
)
from token_journey.course.course import Course
from token_journey.course.notebook_cells import stage_cells, stub_imports
from token_journey.foreign import foreign

_MOST_BYTES = 1 << 20  # of a file; a notebook has its pictures in it
_MOST_OF_A_NOTEBOOK = 32 << 20
_MOST_FILES, _MOST_FOUND = 100, 20_000
_DEEPEST = 3  # an archive in an archive in an archive
_DEEPEST_FOLDER = 40
# A second download, or a second upload, of a file: `s03_rms_norm (1).py`, `s03_rms_norm-2.py`
_AGAIN = re.compile(r"(s\d\d_\w+?)(?: ?\((\d+)\)|-(\d+))\.py$", re.IGNORECASE)
_STEERING = re.compile(r"conftest\.py|test_.*\.py|.*_test\.py", re.IGNORECASE)


@dataclass(frozen=True)
class Collected:
    """The files of one hand-in that are judged, by name, and what to say of the rest."""

    files: dict[str, bytes]
    remarks: tuple[str, ...]

    @property
    def hash(self) -> str:
        """Of all that is judged: the same hash, the same verdicts."""
        parts = (f"{name}\0{hashlib.sha256(self.files[name]).hexdigest()}" for name in self.files)
        return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()


@dataclass
class _Set:
    """Stages that lie together, in a folder or a notebook."""

    place: str
    files: dict[str, bytes]
    remarks: list[str]

    def written(self, course: Course) -> int:
        """How many stages somebody has written in."""
        stages = [stage for stage in course.stages() if stage.file in self.files]
        return sum(nobodys(course, s, self.files[s.file]) != "the stub" for s in stages)

    def count(self, course: Course) -> int:
        return sum(stage.file in self.files for stage in course.stages())


def collect(hand_in: HandIn, course: Course) -> Collected:
    """Raises OSError where there is no room to unpack something; all else is a remark."""
    remarks: list[str] = []
    with TemporaryDirectory(prefix="token-journey-") as scratch:
        found = list(_found(hand_in, Path(scratch), remarks))
        sets = [s for s in _sets(found, course, remarks) if s.files]
    files: dict[str, bytes] = {}
    for each in sorted(sets, key=lambda s: (s.written(course), s.count(course)), reverse=True):
        files |= _added(each, files, course, remarks)
    remarks += _nobodys(files, course) if files else ["no stage was handed in"]
    return Collected(files, tuple(dict.fromkeys(foreign(remark, 300) for remark in remarks)))


def _added(
    given: _Set, files: dict[str, bytes], course: Course, remarks: list[str]
) -> dict[str, bytes]:
    """Of the best set all files, and of any other the stages that no better one has."""
    stages = {stage.file: stage.number for stage in course.stages()}
    if not files:
        remarks += given.remarks
        return {name: given.files[name] for name in sorted(given.files)[:_MOST_FILES]}
    fresh = [name for name in given.files if name in stages and name not in files]
    twice = [name for name in given.files if name in stages and name in files]
    numbers = ", ".join(str(stages[name]) for name in sorted(fresh))
    if fresh:
        remarks.append(f"stages lie in several places: {numbers} in {given.place}")
    if twice and [given.files[name] for name in twice] != [files[name] for name in twice]:
        remarks.append(f"stages are there twice: what lies in {given.place} does not count")
    return {name: given.files[name] for name in fresh}


def _nobodys(files: dict[str, bytes], course: Course) -> Iterator[str]:
    found: dict[str, list[int]] = {}
    for stage in course.stages():
        if stage.file in files and (whose := nobodys(course, stage, files[stage.file])):
            found.setdefault(whose, []).append(stage.number)
    for whose, numbers in found.items():
        yield f"the same as {whose}: {', '.join(map(str, numbers))}"


_Found = tuple[Path, str, str]  # a file, the place it lies in, and what it is called


def _found(hand_in: HandIn, scratch: Path, remarks: list[str]) -> Iterator[_Found]:
    """The files, wherever they lie."""
    entries = hand_in.files
    if len(entries) == 1 and entries[0][0].is_dir() and not entries[0][0].is_symlink():
        entries = tuple(_listed(entries[0][0], hand_in.name, remarks))
    walk = _walk(entries, "", scratch, remarks, of_a_hand_in())
    for count, found in enumerate(walk):
        if count == _MOST_FOUND:
            remarks.append(f"only the first {_MOST_FOUND:,} files were looked at")
            return
        yield found


def _walk(
    entries: Sequence[tuple[Path, str]],
    place: str,
    scratch: Path,
    remarks: list[str],
    limits: Limits,
    depth: int = 0,
) -> Iterator[_Found]:
    for entry, name in entries:
        if entry.is_symlink():
            remarks.append(f"{place}{name} is a link, and is left out")
        elif entry.is_dir():
            if place.count("/") == _DEEPEST_FOLDER:
                remarks.append("a folder lies too deep in others, and is left out")
                continue
            inside = _listed(entry, f"{place}{name}", remarks)
            yield from _walk(inside, f"{place}{name}/", scratch, remarks, limits, depth)
        elif is_foreign(name):
            remarks.append(f"{place}{name} can't be opened here: hand in a zip")
        elif is_archive(name):
            if depth == _DEEPEST:
                remarks.append(f"{place}{name} lies too deep in other archives, and is left out")
                continue
            into = Path(scratch, f"{len(os.listdir(scratch))}")
            into.mkdir()
            try:
                remarks += [f"{place}{name}: {said}" for said in unpack(entry, into, limits)]
            except Refused as refused:
                remarks.append(f"{place}{name}: {refused}")
            inside = _listed(into, name, remarks)
            yield from _walk(inside, f"{place}{name}/", scratch, remarks, limits, depth + 1)
        elif entry.is_file():
            yield entry, place, name


def _listed(folder: Path, place: str, remarks: list[str]) -> list[tuple[Path, str]]:
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        remarks.append(f"{place} can't be read ({error.strerror})")
        return []
    return [(entry, plain(entry.name)) for entry in inside if not is_skipped(entry.name)]


def _sets(found: Sequence[_Found], course: Course, remarks: list[str]) -> Iterator[_Set]:
    folders: dict[str, list[tuple[Path, str]]] = {}
    for file, place, name in found:
        if name.casefold().endswith(".ipynb"):
            if (source := _read(file, name, _MOST_OF_A_NOTEBOOK, remarks)) is not None:
                cells = stage_cells(source, course.stages(), stub_imports(course))
                written = {s.file: text.encode() for s, text in cells.sources.items()}
                said = list(cells.remarks) or ([] if written else ["no cell begins with %%stage"])
                if not written:
                    remarks += [f"{name}: {each}" for each in said]
                yield _Set(f"{place}{name}", written, [f"{name}: {each}" for each in said])
        elif name.casefold().endswith(".py"):
            folders.setdefault(place, []).append((file, name))
    for place, files in folders.items():
        yield _of_folder(place.rstrip("/") or "the top", files, course)


def _of_folder(place: str, files: Sequence[tuple[Path, str]], course: Course) -> _Set:
    """Its Python files, each under the name that it should have."""
    stages = {stage.file for stage in course.stages()}
    made = _Set(place, {}, [])
    plainly = {name for _, name in files}
    for file, name in sorted(files, key=lambda each: (_version(each[1]), each[1])):
        called = name
        if (again := _AGAIN.match(name)) and f"{again[1]}.py".lower() in stages:
            called = f"{again[1]}.py".lower()
            if called in plainly:
                made.remarks.append(f"{called} counts, not {name}")
                continue
            made.remarks.append(f"{name} is taken for {called}")
        if _STEERING.fullmatch(name):
            made.remarks.append(f"{name} would steer the grader, and is left out")
        elif (source := _read(file, name, _MOST_BYTES, made.remarks)) is not None:
            made.files[called] = source
    if not any(name in stages or re.match(r"[sS]\d", name) for name in made.files):
        made.files.clear()
    return made


def _version(name: str) -> int:
    """The last one counts."""
    again = _AGAIN.match(name)
    return int(again[2] or again[3]) if again else 0


def _read(file: Path, name: str, most: int, remarks: list[str]) -> bytes | None:
    try:
        with file.open("rb") as stream:
            source = stream.read(most + 1)
    except OSError as error:
        remarks.append(f"{name} can't be read ({error.strerror})")
        return None
    if len(source) > most:
        remarks.append(f"{name} has more than {most >> 20} MB, and is left out")
        return None
    return source
