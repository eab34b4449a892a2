"""What is known of one graded hand-in: plain data, one JSON line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from token_journey.errors import ClassError
from token_journey.grading.verdict import Verdict


@dataclass(frozen=True)
class FailedCheck:
    """A check that fails; `message` is empty where an earlier one tells the same story."""

    check: str
    subject: str
    message: str
    named: bool


@dataclass
class StageResult:
    """One stage's checks, by what came of them."""

    stage: str
    passed: list[str] = field(default_factory=list)
    failed: list[FailedCheck] = field(default_factory=list)
    todo: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    why: str = ""  # it is missing
    mend: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def total(self) -> int:
        return len(self.passed) + len(self.failed) + len(self.todo) + len(self.missing)

    @property
    def done(self) -> bool:
        return 0 < self.total == len(self.passed)

    @property
    def mistakes(self) -> list[str]:
        """The causes that were named, known mistakes above all, each once."""
        return list(dict.fromkeys(told.subject for told in self.failed if told.named))


@dataclass(frozen=True)
class Result:
    """hash: of what was judged; course: by which; packs: what else it was judged by, some of
    them `held_back`

    stopped: what a jail ended, a sentence for each stage and story; open: what of the jail does
    not hold where it was judged; lost: why no judge could grade it, if so; seconds: of the clock
    """

    hand_in: str
    name: str
    number: str
    hash: str
    course: str
    packs: dict[str, str]
    held_back: list[str]
    stages: list[StageResult]
    remarks: list[str]
    fingerprints: dict[str, str] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    lost: str = ""
    seconds: float = 0.0

    def to_line(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=True).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Result:
        """Raises ClassError for what `to_line` did not write."""
        try:
            return cls(**_built(json.loads(line)))
        except (ValueError, TypeError, KeyError) as error:
            raise ClassError(
                f"A line of the results is not of this kit's version ({error}): grade into "
                "another folder."
            ) from None

    @property
    def passed(self) -> int:
        return sum(len(stage.passed) for stage in self.stages)

    def judged_by(self, course: str, packs: dict[str, str]) -> bool:
        return self.course == course and self.packs == packs


def _built(said: dict[str, Any]) -> dict[str, Any]:
    stages = []
    for stage in said.pop("stages"):
        failed = [FailedCheck(**told) for told in stage.pop("failed")]
        stages.append(StageResult(failed=failed, **stage))
    return {**said, "stages": stages}


def stage_results(verdicts: Iterable[Verdict]) -> list[StageResult]:
    """In the order of the stages. A check that a pack has too little for counts neither way."""
    found: dict[str, StageResult] = {}
    for verdict in verdicts:
        row = found.setdefault(verdict.stage, StageResult(verdict.stage))
        row.seconds += verdict.seconds
        row.mend = sorted({*row.mend, *verdict.mend})
        if verdict.kind == "failed":
            new = all(told.subject != verdict.subject for told in row.failed)
            message = verdict.message if new else ""
            row.failed.append(FailedCheck(verdict.check, verdict.subject, message, verdict.named))
        elif verdict.kind == "missing":
            row.missing.append(verdict.check)
            row.why = verdict.message
        elif verdict.kind == "passed":
            row.passed.append(verdict.check)
        elif verdict.kind == "todo":
            row.todo.append(verdict.check)
    for row in found.values():
        row.seconds = round(row.seconds, 3)
    return [found[name] for name in sorted(found)]
