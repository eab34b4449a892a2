"""Where the course lies: its checks, its packs, and the implementation that stands in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from token_journey.course.stage import Stage, holds_stages
from token_journey.errors import CourseError

VERSION = "0.1.0"  # of the course, and of the kit that it travels with
# Where pyproject.toml puts the course into the wheel: a folder of the package.
INSIDE = "_course"
_FOLDERS = ("checks", "packs", "solutions", "exercises")


@dataclass(frozen=True)
class Course:
    """The folders of a clone, or those that were installed; `exercises` is in a clone alone."""

    home: Path
    checks: Path
    packs: Path
    reference: Path
    exercises: Path

    @classmethod
    def at(cls, home: Path) -> Course:
        return cls(home, *(home / name for name in _FOLDERS))

    @property
    def installed(self) -> bool:
        """Whether it came inside the kit, and nobody is meant to write in it."""
        return self.home.name == INSIDE

    @property
    def torch_page(self) -> Path:
        """The page on the little of torch that the stages use."""
        return self.home / "docs" / "pytorch-you-need.md"

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
    """The course of the kit that is imported: inside it, or the checkout that it lies in.

    Raises CourseError where the kit lies alone, without its checks.
    """
    package = Path(__file__).resolve().parents[1]
    for home in (package / INSIDE, package.parent):
        course = Course.at(home)
        if course.stages():
            return course
    raise CourseError(
        "token-journey was installed without its course: clone the repository and "
        "install it with `pip install -e .` inside the clone."
    )


def find_clone() -> Course:
    """The course of a clone, for what only its authors do. Raises CourseError elsewhere."""
    course = find_course()
    if course.installed:
        raise CourseError(
            "This is for those who change the course: clone the repository and install it with "
            "`pip install -e .` inside the clone. (`token-journey start DIR` makes fresh stubs.)"
        )
    return course
