"""What a stage is worth: a file of points, or one point a stage.

stage,points,give
rms_norm,2,all              two points if every check holds
attention,3,share           as much of three as checks hold
generate,4,50%:1 80%:2.5    one from half of the checks on, two and a half from 80 %; else 0,
                            and four for all of them
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

from token_journey.classroom.roster import folded, read_table
from token_journey.course.stage import Stage
from token_journey.errors import ClassError

_STEP = re.compile(r"(\d{1,3})\s*%\s*:\s*(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Worth:
    """`steps` are shares of checks with the points from there on; None gives the share itself."""

    points: Decimal
    steps: tuple[tuple[Fraction, Decimal], ...] | None = None

    def of(self, passed: int, total: int) -> Decimal:
        """In hundredths, rounded as people do."""
        if total == 0:
            return Decimal(0)
        if self.steps is None:
            exact = self.points * passed / total
            return exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
        reached = [points for share, points in self.steps if Fraction(passed, total) >= share]
        return max(reached, default=Decimal(0))


Points = dict[str, Worth]


def one_each(stages: Sequence[Stage]) -> Points:
    return {stage.name: Worth(Decimal(1)) for stage in stages}


def read_points(file: Path, stages: Sequence[Stage]) -> Points:
    """Raises ClassError for what is not as above; a stage that is not named is worth nothing."""
    found: Points = {}
    rows = read_table(file)
    if not {"stage", "points"} <= rows[0].keys():
        raise ClassError(f"{file} must have the columns stage, points and, if you like, give.")
    for row in rows:
        stage = _stage(row["stage"], stages)
        if stage is None:
            raise ClassError(
                f"{file} names {row['stage']!r}, which is no stage: say rms_norm or 3."
            )
        if stage.name in found:
            raise ClassError(f"{file} names {stage.title} twice: leave one of the lines.")
        found[stage.name] = _worth(row, file)
    return {stage.name: found.get(stage.name, Worth(Decimal(0))) for stage in stages}


def _stage(said: str, stages: Sequence[Stage]) -> Stage | None:
    plain = folded(said)
    called = {name: s for s in stages for name in (folded(s.name), folded(s.title), f"{s.number}")}
    return called.get(plain)


def _worth(row: dict[str, str], file: Path) -> Worth:
    said, give = row["points"], row.get("give", "") or "share"
    if not re.fullmatch(r"\d{1,6}(\.\d+)?", said):
        raise ClassError(f"{file} has {said!r} for points: write a number such as 2 or 1.5.")
    points = Decimal(said)
    if give == "share":
        return Worth(points)
    full = (Fraction(1), points)
    steps = [_STEP.fullmatch(step) for step in ([] if give == "all" else give.split())]
    if not all(steps):
        raise ClassError(f"{file} has {give!r} under give: write all, share, or 50%:1 80%:2.")
    given = ((Fraction(int(s[1]), 100), Decimal(s[2])) for s in steps if s)
    return Worth(points, (*given, full))
