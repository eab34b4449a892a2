"""What is remembered of a learner's folder between days: one small file, safe to delete."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from token_journey.course.course import Course
from token_journey.course.stage import Stage
from token_journey.course.stubs import is_written
from token_journey.files import write_whole
from token_journey.grading.verdict import Grade, StageGrade, Verdict

FILE = ".token-journey-progress.json"
_COUNTS = ("passed", "failed", "todo", "missing")
_LONGEST = 1 << 20


@dataclass
class Stand:
    """How a stage stood when it was judged last.

    first:   the checks that did not hold, those with an error before those to do
    mistake: what the first failure was called, if it was
    of:      the SHA-256 of the file that was judged; empty where none was
    """

    passed: int = 0
    failed: int = 0
    todo: int = 0
    missing: int = 0
    mend: list[str] = field(default_factory=list)
    first: list[str] = field(default_factory=list)
    mistake: str = ""
    of: str = ""

    @classmethod
    def after(cls, verdicts: Iterable[Verdict], of: str) -> Stand:
        told = tuple(verdicts)
        (grade,) = Grade(told).stages
        failed = [v for v in told if v.kind in ("failed", "missing")]
        mistake = next((v.subject for v in failed if v.named), "")
        first = [v.check for v in (*failed, *(v for v in told if v.kind == "todo"))]
        counts = {name: getattr(grade, name) for name in _COUNTS}
        return cls(**counts, mend=sorted(grade.mend), first=first, mistake=mistake, of=of)

    def grade(self, path: str, stage: str) -> StageGrade:
        counts = {name: getattr(self, name) for name in _COUNTS}
        return StageGrade(path, stage, **counts, mend=set(self.mend))

    @property
    def done(self) -> bool:
        return self.passed > 0 and not self.failed and not self.todo and not self.missing


@dataclass
class Progress:
    """stage: where somebody was last. hints: how many were opened, by stage and function."""

    folder: Path
    stage: str = ""
    stands: dict[str, Stand] = field(default_factory=dict)
    hints: dict[str, dict[str, int]] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Progress:
        """What is remembered; nothing where the file is not there or not one of ours."""
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            file = folder / FILE
            if file.stat().st_size < _LONGEST:
                return cls._from(folder, json.loads(file.read_bytes()))
        return cls(folder)

    @classmethod
    def _from(cls, folder: Path, said: dict[str, Any]) -> Progress:
        """Raises whatever comes of data that was not written here."""
        stands = {str(name): Stand(**about) for name, about in said["stages"].items()}
        for stand in stands.values():
            counted = all(type(getattr(stand, name)) is int for name in _COUNTS)
            texts = [*stand.mend, *stand.first, stand.mistake, stand.of]
            if not counted or not all(isinstance(text, str) for text in texts):
                raise ValueError
        hints = {
            str(stage): {str(function): int(opened) for function, opened in opened_of.items()}
            for stage, opened_of in said["hints"].items()
        }
        return cls(folder, str(said["stage"]), stands, hints)

    def write(self) -> None:
        """A folder that can't be written loses what is remembered, and nothing else."""
        said = {
            "stage": self.stage,
            "stages": {name: asdict(stand) for name, stand in self.stands.items()},
            "hints": self.hints,
        }
        with suppress(OSError):
            write_whole(self.folder / FILE, f"{json.dumps(said, indent=1)}\n".encode())

    def note(self, name: str, verdicts: Iterable[Verdict]) -> None:
        self.stands[name] = Stand.after(verdicts, digest(self.folder / f"{name}.py"))

    def is_judged(self, stage: Stage) -> bool:
        """Whether the file is still the one that was judged."""
        stand = self.stands.get(stage.name)
        return stand is not None and stand.of == digest(self.folder / stage.file)

    def done(self, stage: Stage) -> bool:
        return stage.name in self.stands and self.stands[stage.name].done

    def next(self, course: Course) -> Stage | None:
        """The first stage that is not done."""
        return next((stage for stage in course.stages() if not self.done(stage)), None)

    def grade(self, stage: Stage) -> StageGrade | None:
        """As it was judged last; None for what was never judged."""
        stand = self.stands.get(stage.name)
        return stand.grade(str(self.folder), stage.name) if stand else None


def digest(file: Path) -> str:
    """The SHA-256 of a stage file; empty where there is none."""
    with suppress(OSError):
        return sha256(file.read_bytes()).hexdigest()
    return ""


def is_begun(file: Path) -> bool:
    with suppress(OSError):
        return is_written(file.read_text("utf-8", "replace"))
    return False
