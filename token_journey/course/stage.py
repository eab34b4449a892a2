"""Which files are stages, by their names."""

from __future__ import annotations

import re
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

    @classmethod
    def of_file(cls, path: Path) -> Stage | None:
        """The stage that a file is named after, if its name is shaped like one's."""
        return cls(path.stem) if _STAGE_FILE.fullmatch(path.name) else None
