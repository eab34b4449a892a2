"""What a check sees of a stage, be it the learner's or one with a known mistake in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from token_journey.checking.comparison import Comparison, fits, holds, observed_by
from token_journey.course.implementation import CannotLoad
from token_journey.course.under_test import Check, CheckFailure, StageUnderTest
from token_journey.foreign import message_of
from token_journey.guards.time_limit import OutOfTime

# Of computing, for one look at a check.
SECONDS = 1.0


@dataclass(frozen=True)
class Observed:
    """What a check saw of a stage: its comparisons in order, and what was raised after them.

    `ended` is False where it was broken off, by the learner's exit() or by a time limit.
    """

    comparisons: list[Comparison]
    error: Exception | None = None
    ended: bool = True

    @property
    def wrong(self) -> bool:
        return self.error is not None or any(not holds(c) for c in self.comparisons[-1:])

    @property
    def breaks(self) -> bool:
        """Whether Python stopped it, and not the check."""
        return self.error is not None and not isinstance(self.error, CheckFailure)

    def until_wrong(self) -> Observed:
        """The same up to the first comparison that does not hold."""
        for place, comparison in enumerate(self.comparisons):
            if not holds(comparison):
                return Observed(self.comparisons[: place + 1])
        return self

    def is_like(self, other: Observed) -> bool:
        """Wrong at the same place, in the same way, and the same before."""
        if len(self.comparisons) != len(other.comparisons) or not self.wrong:
            return False
        mine, theirs = self.error, other.error
        if type(mine) is not type(theirs) or _said(mine) != _said(theirs):
            return False
        pairs = zip(self.comparisons, other.comparisons, strict=True)
        return all(fits(a.actual, b) for a, b in pairs)


def _said(error: Exception | None) -> str | None:
    return None if error is None else message_of(error)


class _Enough(BaseException):
    """All that is wanted was seen."""


def observe(check: Check, stage: StageUnderTest) -> Observed:
    """All comparisons that a check makes, none of them judged."""
    return _observe(check, stage, lambda seen: False, SECONDS)


def observe_until_wrong(
    check: Check, stage: StageUnderTest, like: Observed | None = None, seconds: float = SECONDS
) -> Observed:
    """The same up to the first comparison that does not hold; the check is ended there.

    like: end also where the stage parts from what was observed there, or where that ends
    """

    def enough(seen: list[Comparison]) -> bool:
        if not holds(seen[-1]):
            return True
        if like is None:
            return False
        if len(seen) > len(like.comparisons):
            return True
        ends = len(seen) == len(like.comparisons) and like.error is None
        return ends or not fits(seen[-1].actual, like.comparisons[len(seen) - 1])

    return _observe(check, stage, enough, seconds)


def _observe(
    check: Check,
    stage: StageUnderTest,
    enough: Callable[[list[Comparison]], bool],
    seconds: float,
) -> Observed:
    seen: list[Comparison] = []

    def see(comparison: Comparison) -> None:
        seen.append(comparison)
        if enough(seen):
            raise _Enough

    try:
        with observed_by(see), stage.trial(seconds):
            check(stage)
    except Exception as error:
        return Observed(seen, error)
    except (SystemExit, CannotLoad, OutOfTime, _Enough):
        return Observed(seen, ended=False)  # what was compared before it broke still counts
    return Observed(seen)
