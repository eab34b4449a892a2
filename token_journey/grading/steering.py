"""What would steer the grader: files of pytest's that lie with what is graded.

A `conftest.py`, settings or tests would run in the judge's own process, before or beside
the checks, and could rewrite any verdict. So they are looked for before pytest reads the
first of them; whatever lies above the graded path is the grading person's own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

from token_journey.course.course import Course
from token_journey.course.kata import is_kata
from token_journey.course.notebook_cells import holds_stage_cells

_SETTINGS = {
    "pytest.ini": "",
    ".pytest.ini": "",
    "pytest.toml": "",
    ".pytest.toml": "",
    "pyproject.toml": "[tool.pytest",
    "tox.ini": "[pytest]",
    "setup.cfg": "[tool:pytest]",
}


def refusals(path: Path, skipped: Sequence[str], course: Course) -> dict[Path, Path]:
    """By folder of stages: a file that lies in, below or above it, and would steer the grader.

    path:    what is to be graded: a folder, or a file for what lies beside it
    skipped: patterns of folder names that pytest does not enter
    course:  its own files at home are trusted
    """
    stages: list[Path] = []
    steering: list[Path] = []
    for folder, files in _walk(path, skipped):
        if course.holds_stages(folder) or _notebooks(folder, files, course, alone=path.is_file()):
            stages.append(folder)
        if folder != course.home:
            steering += [folder / name for name in files if _steers(folder / name)]
    return {
        folder: file
        for folder in stages
        for file in reversed(steering)
        if file.is_relative_to(folder) or folder.is_relative_to(file.parent)
    }


def _walk(path: Path, skipped: Sequence[str]) -> Iterator[tuple[Path, list[str]]]:
    """What pytest may meet: of a file no more than its own folder, of what is not there nothing."""
    if path.is_file():
        yield path.parent, [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    for folder, below, files in os.walk(path):
        below[:] = sorted(name for name in below if not any(fnmatch(name, s) for s in skipped))
        yield Path(folder), files


def _notebooks(folder: Path, files: Sequence[str], course: Course, *, alone: bool) -> bool:
    """Whether there are notebooks to grade; in a kata there are, if one is given `alone`."""
    found = any(holds_stage_cells(folder / name) for name in files)
    return found and (alone or not is_kata(folder, course))


def _steers(file: Path) -> bool:
    name = file.name
    if name in _SETTINGS:
        return not _SETTINGS[name] or _SETTINGS[name] in _text(file)
    return name == "conftest.py" or fnmatch(name, "test_*.py") or fnmatch(name, "*_test.py")


def refusal(file: Path) -> str:
    """What to say of a file that would steer the grader."""
    if file.name in _SETTINGS:
        return f"{file} would steer the grader: remove it."
    return f"{file} would run inside the grader, beside what is graded: remove it."


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    except OSError:
        return ""
