"""A grade: how many checks of each stage hold. Plain data, apart from how it is printed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["passed", "failed", "todo", "absent"]


@dataclass(frozen=True)
class Verdict:
    """What one check said; "absent" is one that a pack does not hold enough for.

    `path` is the folder that was graded and `stage` the stage's name.
    `subject` groups failures that tell the same story. `mend` names the
    earlier stages that keep a right stage from working in its own folder.
    """

    path: str
    stage: str
    check: str
    kind: Kind
    subject: str = ""
    mend: tuple[str, ...] = ()


@dataclass
class StageGrade:
    """One stage's checks, counted; those that are absent count neither way."""

    path: str
    stage: str
    passed: int = 0
    failed: int = 0
    todo: int = 0
    absent: int = 0
    mend: set[str] = field(default_factory=set)

    @property
    def total(self) -> int:
        return self.passed + self.failed + self.todo

    @property
    def done(self) -> bool:
        return self.passed == self.total

    @property
    def untouched(self) -> bool:
        """Nothing but stubs so far."""
        return self.todo > 0 and self.failed == 0 and self.passed == 0


def grade(verdicts: Iterable[Verdict]) -> list[StageGrade]:
    """Add up, in the order of paths and stages."""
    rows: dict[tuple[str, str], StageGrade] = {}
    for verdict in verdicts:
        key = verdict.path, verdict.stage
        row = rows.setdefault(key, StageGrade(*key))
        setattr(row, verdict.kind, getattr(row, verdict.kind) + 1)
        row.mend.update(verdict.mend)
    return [rows[key] for key in sorted(rows)]


def next_to_do(rows: Iterable[StageGrade]) -> StageGrade | None:
    """The first stage that is not done."""
    return next((row for row in rows if not row.done), None)
