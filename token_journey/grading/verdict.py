"""A grade: how many checks of each stage hold. Plain data, apart from how it is printed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from token_journey.errors import UserError

# "absent" is a check that a pack does not hold enough for, "missing" one of a stage that is
# not there.
# Subjects of those that have no place in the learner's files.
NOT_RUN, NO_END = "not run", "no end"
Kind = Literal["passed", "failed", "todo", "absent", "missing"]


@dataclass(frozen=True)
class Verdict:
    """What one check said.

    `path` is the folder that was graded and `stage` the stage's name. `message` is what a
    learner reads, and `subject` groups failures that tell the same story; `named` says that
    the story is a known mistake, and `broken` that an error was raised. `function` is the one of
    the stage in which that was, or the last that the check called. `mend` names the earlier
    stages that keep a right stage from working in its own folder, `absent` why a pack has
    nothing for the check.
    """

    path: str
    stage: str
    check: str
    kind: Kind
    subject: str = ""
    message: str = ""
    named: bool = False
    broken: bool = False
    function: str = ""
    mend: tuple[str, ...] = ()
    absent: str = ""
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain values only, to be written down or sent to another process."""
        return {**asdict(self), "mend": list(self.mend)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Verdict:
        """Raises UserError for what `to_json` did not write."""
        try:
            verdict = cls(**{**data, "mend": tuple(data.get("mend", ()))})
        except TypeError as error:
            raise UserError(f"This is not a verdict of this kit's version: {error}.") from None
        if verdict.kind not in get_args(Kind):
            raise UserError(f"This is not a verdict of this kit's version: {verdict.kind!r}.")
        return verdict


@dataclass
class StageGrade:
    """One stage's checks, counted; those that are absent count neither way."""

    path: str
    stage: str
    passed: int = 0
    failed: int = 0
    todo: int = 0
    absent: int = 0
    missing: int = 0
    mend: set[str] = field(default_factory=set)

    @property
    def total(self) -> int:
        return self.passed + self.failed + self.todo + self.missing

    @property
    def done(self) -> bool:
        return self.passed == self.total

    @property
    def begun(self) -> bool:
        """Something is written, and not all of it is right."""
        return not self.done and (self.failed > 0 or self.passed > 0)

    @property
    def untouched(self) -> bool:
        """Nothing but stubs so far."""
        return self.todo > 0 and self.failed == 0 and self.passed == 0


@dataclass(frozen=True)
class Grade:
    """All verdicts of a run, in the order in which the checks ended."""

    verdicts: tuple[Verdict, ...]

    @property
    def stages(self) -> list[StageGrade]:
        """One row a stage, in the order of folders and stages."""
        rows: dict[tuple[str, str], StageGrade] = {}
        for verdict in self.verdicts:
            key = verdict.path, verdict.stage
            row = rows.setdefault(key, StageGrade(*key))
            setattr(row, verdict.kind, getattr(row, verdict.kind) + 1)
            row.mend.update(verdict.mend)
        return [rows[key] for key in sorted(rows)]

    @property
    def done(self) -> bool:
        """Whether all that was asked for is right."""
        return bool(self.verdicts) and all(row.done for row in self.stages)


def next_to_do(rows: Iterable[StageGrade]) -> StageGrade | None:
    """The first stage that was begun and is not done; where none is, the first that is not done."""
    left = [row for row in rows if not row.done]
    return next((row for row in left if row.begun), next(iter(left), None))
