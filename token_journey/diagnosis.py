"""Which known mistake gives just these numbers?

A failed check is run again with each of the stage's misconceptions in the
place of the learner's work, and what they return at the same comparison is
held against what the learner's returned. One that fits, and only one, is
named; where none or several fit, that is said. Nothing is guessed.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from types import ModuleType

from torch import Tensor

from token_journey.checking import StageUnderTest
from token_journey.compare import Comparison, fits, holds, observed_by, wrong_kind
from token_journey.implementation import CannotLoad, Implementation
from token_journey.limits import OutOfTime, time_limit
from token_journey.misconceptions import Misconception, rewrites_in, rewritten
from token_journey.transformations import transformations_that_fit

SECONDS = 1.0

Check = Callable[[StageUnderTest], object]


@dataclass(frozen=True)
class _Fit:
    """Mistakes that give the learner's numbers, and the comparison they end in."""

    mistakes: tuple[Misconception, ...]
    comparison: Comparison


@dataclass(frozen=True)
class Diagnosis:
    """What to tell the learner, and what it was if exactly one explanation fits.

    `story` is the same for failures with the same cause.
    """

    lines: tuple[str, ...] = ()
    story: str = ""
    mistakes: tuple[Misconception, ...] = ()


class Doctor:
    """Knows one stage's misconceptions; they are written into the reference's stage."""

    def __init__(self, stage: str, reference: Implementation, bank: Implementation):
        self.stage = stage
        self.reference = reference
        self.bank = bank
        self._file = reference.folder / f"{stage}.py"
        self._mistaken = cache(self._write)

    def diagnose(
        self, check: Check, stage: StageUnderTest, known: tuple[Misconception, ...] = ()
    ) -> Diagnosis:
        """Find what went wrong in `check`, which fails on `stage`, the learner's.

        known: what was found in an earlier check of this stage; if it explains
               this one too, nothing else is tried
        """
        seen = observe(check, stage)
        place = next((n for n, comparison in enumerate(seen) if not holds(comparison)), None)
        if place is None:
            return Diagnosis()
        seen = seen[: place + 1]
        deadline = time.monotonic() + SECONDS
        if known:
            found = list(self._that_fit(check, seen, iter([known]), deadline))
            if found:
                return _named(found[0], seen[-1])
        found = list(self._that_fit(check, seen, self._singles(), deadline))
        if not found and not known:
            found = list(self._that_fit(check, seen, self._pairs(), deadline))
        if len(found) == 1:
            return _named(found[0], seen[-1])
        if found:
            return Diagnosis((_several([fit.mistakes for fit in found]),))
        simple = transformations_that_fit(seen[-1])
        if len(simple) == 1:
            return Diagnosis(tuple(simple), simple[0])
        if wrong_kind("", seen[-1].actual, seen[-1].expected):
            return Diagnosis()  # the complaint about its kind says enough
        return Diagnosis(("No mistake known to this course gives just these numbers.",))

    # -- the bank -------------------------------------------------------------

    def _misconceptions(self) -> list[Misconception]:
        try:
            known = rewrites_in(self.bank.module(self.stage))
        except CannotLoad:
            return []
        return [m for m in known if isinstance(m, Misconception)]

    def _singles(self) -> Iterator[tuple[Misconception, ...]]:
        return ((m,) for m in self._misconceptions())

    def _pairs(self) -> Iterator[tuple[Misconception, ...]]:
        for one, other in itertools.combinations(self._misconceptions(), 2):
            if one.function != other.function:
                yield one, other

    def _write(self, mistakes: tuple[Misconception, ...]) -> ModuleType:
        return rewritten(self.reference, self.stage, *mistakes)

    # -- holding them against the learner's -----------------------------------

    def _that_fit(
        self,
        check: Check,
        seen: list[Comparison],
        candidates: Iterator[tuple[Misconception, ...]],
        deadline: float,
    ) -> Iterator[_Fit]:
        for mistakes in candidates:
            if time.monotonic() > deadline:
                return
            module = self._mistaken(mistakes)
            theirs = observe(check, StageUnderTest(self._file, partial(_itself, module)))
            if self._explains(theirs, seen):
                yield _Fit(mistakes, theirs[len(seen) - 1])

    @staticmethod
    def _explains(theirs: list[Comparison], seen: list[Comparison]) -> bool:
        """The mistake shows where the learner's does, and gives the same up to there."""
        if len(theirs) < len(seen) or holds(theirs[len(seen) - 1]):
            return False
        # The last comparison rules out most mistakes at once.
        pairs = zip(theirs[: len(seen)][::-1], seen[::-1], strict=True)
        return all(fits(mistaken.actual, mine) for mistaken, mine in pairs)


def _itself(module: ModuleType) -> ModuleType:
    return module


def observe(check: Check, stage: StageUnderTest) -> list[Comparison]:
    """All comparisons that a check makes, none of them judged."""
    seen: list[Comparison] = []
    try:
        with observed_by(seen.append), time_limit(SECONDS):
            check(stage)
    except (Exception, SystemExit, OutOfTime):
        pass  # what was compared before it broke still counts
    return seen


def _named(fit: _Fit, failed: Comparison) -> Diagnosis:
    mistakes = fit.mistakes
    name = ", and ".join(m.name for m in mistakes)
    does = "; ".join(m.does for m in mistakes)
    read = "; ".join(dict.fromkeys(m.read for m in mistakes))
    looks = f"It looks as if {name}: {does}.{_distances(fit, failed)}"
    return Diagnosis((looks, f"Read again: {read}."), name, mistakes)


def _distances(fit: _Fit, failed: Comparison) -> str:
    """How near the mistake comes, beside how far the right answer is."""
    mine, mistaken, right = failed.actual, fit.comparison.actual, failed.expected
    if not (isinstance(right, Tensor) and mine.shape == mistaken.shape == right.shape):
        return ""
    if not right.dtype.is_floating_point:
        return ""
    near, far = _distance(mine, mistaken), _distance(mine, right)
    hit = f"your numbers to within {near:.1g}" if near else "exactly your numbers"
    return f" (It gives {hit}; the right ones are {far:.1g} away.)"


def _distance(one: Tensor, other: Tensor) -> float:
    apart = (one.detach().double() - other.detach().double()).abs()
    return apart[apart.isfinite()].max().item() if apart.isfinite().any() else 0.0


def _several(found: list[tuple[Misconception, ...]]) -> str:
    names = [" and ".join(m.name for m in mistakes) for mistakes in found]
    if len(names) > 4:
        return f"{len(names)} known mistakes all give just these numbers here."
    return "These known mistakes all give just these numbers here: " + "; or ".join(names) + "."
