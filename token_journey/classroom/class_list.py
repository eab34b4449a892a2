"""A row for each student: who it is, what came of the hand-in, what it is worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from token_journey.classroom.points import Points
from token_journey.classroom.result import Result, StageResult
from token_journey.classroom.results import Results
from token_journey.classroom.roster import Student, matched
from token_journey.course.stage import Stage


@dataclass(frozen=True)
class StudentRow:
    """key: of the hand-in, or of the student where there is none; it is no other row's"""

    key: str
    student: Student
    result: Result | None
    remarks: tuple[str, ...]
    points: dict[str, Decimal]

    @property
    def sum(self) -> Decimal:
        return sum(self.points.values(), Decimal(0))

    def stage(self, name: str) -> StageResult | None:
        stages = self.result.stages if self.result else ()
        return next((stage for stage in stages if stage.stage == name), None)


class ClassList:
    """Rows in the order of names; a result is read when its row is asked for."""

    def __init__(
        self,
        results: Results,
        stages: Sequence[Stage],
        points: Points,
        roster: Sequence[Student] | None = None,
    ):
        self.stages = [stage.name for stage in stages]
        self.points = points
        self._results = results
        # How many checks a stage has; of a hand-in without it nobody asked.
        self.totals = dict.fromkeys(self.stages, 0)
        said, passed = [], {}
        self.lost: list[str] = []  # hand-ins that no judge could grade
        for result in results:
            said.append((result.hand_in, result.name, result.number))
            passed[result.hand_in] = result.passed
            if result.lost:
                self.lost.append(result.hand_in)
            for stage in result.stages:
                self.totals[stage.stage] = max(self.totals.get(stage.stage, 0), stage.total)
        self._rows = self._of_all(said) if roster is None else _of(roster, said, passed)
        self._rows.sort(key=lambda row: (row[1].name.casefold(), row[0]))

    def _of_all(self, said: list[tuple[str, str, str]]) -> list[_Place]:
        return [(key, Student(name, number), key, ()) for key, name, number in said]

    @property
    def nobodys(self) -> list[str]:
        """Hand-ins that no student of the roster made."""
        return [key for key, _, _, remarks in self._rows if _NOBODYS in remarks]

    @property
    def most(self) -> Decimal:
        """The points of a hand-in that is right."""
        return sum((worth.points for worth in self.points.values()), Decimal(0))

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[StudentRow]:
        for key, student, hand_in, remarks in self._rows:
            result = None if hand_in is None else self._results.get(hand_in)
            said = [*remarks, *(result.remarks if result else ())]
            if result and result.lost:
                said.insert(0, result.lost)
            points = {name: self.points[name].of(0, 1) for name in self.stages}
            for stage in result.stages if result else ():
                worth = self.points[stage.stage]
                points[stage.stage] = worth.of(len(stage.passed), stage.total)
            yield StudentRow(key, student, result, tuple(said), points)


_NOBODYS = "this hand-in is nobody's on the roster"
_Place = tuple[str, Student, str | None, tuple[str, ...]]


def _of(
    roster: Sequence[Student], said: list[tuple[str, str, str]], passed: dict[str, int]
) -> list[_Place]:
    """A row for each student of the roster, and one for each hand-in that is nobody's."""
    whose = matched(roster, said)
    theirs: dict[Student, list[str]] = {}
    for key, student in whose.items():
        if student:
            theirs.setdefault(student, []).append(key)
    rows: list[_Place] = []
    for number, student in enumerate(roster):
        keys = sorted(theirs.get(student, ()), key=lambda key: -passed[key])
        remarks = () if keys else ("nothing was handed in",)
        if len(keys) > 1:
            remarks = (f"handed in {len(keys)} times: {keys[0]} counts, not {', '.join(keys[1:])}",)
        key = keys[0] if keys else f"roster {student.id or student.email or number}"
        rows.append((key, student, keys[0] if keys else None, remarks))
    for key, name, number_ in said:
        if whose[key] is None:
            rows.append((key, Student(name, number_), key, (_NOBODYS,)))
    return rows
