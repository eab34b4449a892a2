"""One stage's known mistakes, each written into the reference's stage, and the checks it fails."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from token_journey.course.implementation import CannotLoad, Implementation
from token_journey.course.misconceptions import Misconception, rewrites_in, rewritten
from token_journey.course.under_test import StageUnderTest
from token_journey.grading.diagnosis.answers import Answers, Question, silence
from token_journey.grading.diagnosis.observed import Observed, observe_until_wrong
from token_journey.grading.diagnosis.patterns import Patterns, read_patterns

Mistakes = tuple[Misconception, ...]


class Bank:
    """What is known of the ways to write one stage wrongly."""

    def __init__(
        self,
        stage: str,
        reference: Implementation,
        misconceptions: Implementation,
        patterns: Patterns | None = None,
    ):
        """patterns: those that lie beside the misconceptions, if no others are given"""
        self.stage, self.reference = stage, reference
        self._patterns = patterns or read_patterns(misconceptions.folder, stage)
        self.checks = frozenset(self._patterns.checks)
        self._known = [m for m in _in(misconceptions, stage) if m.name in self._patterns.of]
        self._file = reference.folder / f"{stage}.py"

    def observe(
        self, question: Question, mistakes: Mistakes, like: Observed | None = None, seed: int = 0
    ) -> Observed:
        """What a check sees of the reference's stage with these mistakes in it."""
        # Written anew each time: some keep what an earlier check left behind.
        module = rewritten(self.reference, self.stage, *mistakes)
        stage = StageUnderTest(self._file, lambda: module)
        with silence(seed):
            return observe_until_wrong(question.check, stage, like)

    def possible(self, answers: Answers) -> list[Mistakes]:
        """The mistakes that fail nothing which the learner's surely passes."""
        return [
            (mistake,)
            for mistake in self._known
            if not any(map(answers.surely_holds, self.fails((mistake,), answers.asked)))
        ]

    def pairs(self, possible: Iterable[Mistakes]) -> Iterator[Mistakes]:
        """Two of them at once, in different functions."""
        for (one,), (other,) in itertools.combinations(possible, 2):
            if one.function != other.function:
                yield one, other

    def fails(self, mistakes: Mistakes, checks: Iterable[str]) -> list[str]:
        """Those of the checks that one of the mistakes surely fails."""
        return [c for c in checks if any(c in self._patterns.of[m.name].fails for m in mistakes)]

    def may_fail(self, mistakes: Mistakes, checks: Iterable[str]) -> list[str]:
        """Those of the checks of which nobody is sure."""
        return [c for c in checks if any(c in self._patterns.of[m.name].unsure for m in mistakes)]

    def holds(self, mistakes: Mistakes, check: str) -> bool:
        """Whether all of the mistakes surely pass a check."""
        known = check in self.checks
        return known and all(self._patterns.of[m.name].holds(check) for m in mistakes)


def _in(misconceptions: Implementation, stage: str) -> list[Misconception]:
    try:
        known = rewrites_in(misconceptions.module(stage))
    except CannotLoad:
        return []
    return [m for m in known if isinstance(m, Misconception)]
