"""Where the course lies: its checks, its packs, and the implementation that stands in."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from token_journey.course.stage import Stage, holds_stages
from token_journey.errors import CourseError


@dataclass(frozen=True)
class Course:
    """The folders that `[tool.token-journey]` in pyproject.toml names."""

    home: Path
    checks: Path
    packs: Path
    reference: Path
    exercises: Path

    def check_file(self, stage: Stage) -> Path:
        return self.checks / f"check_{stage.name}.py"

    def stages(self) -> list[Stage]:
        """All stages that have a check file, in order."""
        return list(_stages(self.checks))

    def holds_stages(self, folder: Path) -> bool:
        """Whether a folder is one of stages, to be graded as a whole."""
        return holds_stages(folder, self.stages())

    def stage_of(self, path: Path) -> Stage | None:
        """The stage that a file implements, by its name."""
        stage = Stage.of_file(path)
        return stage if stage and self.check_file(stage).is_file() else None


@cache
def _stages(checks: Path) -> tuple[Stage, ...]:
    files = checks.glob("check_s[0-9][0-9]_*.py")
    return tuple(sorted(Stage(file.stem.removeprefix("check_")) for file in files))


def find_course() -> Course:
    """The checkout that this kit was installed from.

    Raises CourseError where the kit lies alone, without its checks.
    """
    home = Path(__file__).resolve().parents[2]
    try:
        settings = tomllib.loads((home / "pyproject.toml").read_text(encoding="utf-8"))
        folders = settings["tool"]["token-journey"]
        return Course(
            home,
            home / folders["checks"],
            home / folders["packs"],
            home / folders["reference"],
            home / folders["exercises"],
        )
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        raise CourseError(
            "token-journey was installed without its course: clone the repository and "
            "install it with `pip install -e .` inside the clone."
        ) from None
