"""Which files are stages, by their names, and what else may lie in a stage's place."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

_STAGE_FILE = re.compile(r"s(\d\d)_\w+\.py")


@dataclass(frozen=True, order=True)
class Stage:
    """One of the ten, e.g. `s03_rms_norm`."""

    name: str

    @property
    def number(self) -> int:
        return int(self.name[1:3])

    @property
    def title(self) -> str:
        return self.name[4:]

    @property
    def file(self) -> str:
        return f"{self.name}.py"

    @classmethod
    def of_file(cls, path: Path) -> Stage | None:
        """The stage that a file is named after, if its name is shaped like one's."""
        return cls(path.stem) if _STAGE_FILE.fullmatch(path.name) else None


def holds_stages(folder: Path, stages: Collection[Stage]) -> bool:
    """Whether something in a folder is named like one of these stages, or was meant to be."""
    try:
        names = [name for name in os.listdir(folder) if name[:1] in "sS"]
    except OSError:
        return False
    return any(_is_meant(name, stage) for name in names for stage in stages)


def not_there(folder: Path, stage: Stage) -> str | None:
    """What to say where a folder holds no file that can be read as this stage, else None."""
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        return f"{folder} can't be read ({error.strerror}): allow reading it."
    if stage.file in names:
        return _unreadable(folder / stage.file)
    meant = [name for name in names if _is_meant(name, stage)]
    meant += [name for name in names if _has_number(name, stage)]
    if meant:
        return f"{stage.file} is not here, but {meant[0]!r} is: rename it to {stage.file}."
    return f"{stage.file} is not here: put it in this folder to have it graded."


def _is_meant(name: str, stage: Stage) -> bool:
    """`s03_rms_norm (1).py`: its name, whatever a browser or a hurried hand made of it."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower())
    return plain.startswith(stage.name) and not name.endswith((".old.py", ".pyc"))


def _has_number(name: str, stage: Stage) -> bool:
    found = re.match(r"s0*(\d+)[^\d]*\.py$", name.lower())
    return found is not None and int(found[1]) == stage.number


def _unreadable(file: Path) -> str | None:
    put = f"put the file {file.name} itself there."
    try:
        kind = file.stat().st_mode
    except OSError:
        return f"{file.name} is a link to a file that is not there: {put}"
    if stat.S_ISDIR(kind):
        return f"{file.name} is a folder: {put}"
    if not stat.S_ISREG(kind):
        return f"{file.name} is not an ordinary file: {put}"
    try:
        with file.open("rb"):
            return None
    except OSError as error:
        return f"{file.name} can't be read ({error.strerror}): allow reading it."
