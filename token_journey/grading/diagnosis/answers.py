"""What a learner's stage does on all checks of its stage, also on those that nobody asked for.

They are asked in silence: nothing of it is reported.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass

import torch

from token_journey.course.under_test import Check, StageUnderTest
from token_journey.grading.diagnosis.observed import SECONDS, Observed, observe_until_wrong
from token_journey.guards.time_limit import Patience

# For all checks together, by the stage's own clock. What is asked no more counts for nothing.
_SECONDS_FOR_ALL = 3.0


@dataclass(frozen=True)
class Question:
    """A check that a stage can be asked: `name` is its own, `of` that of its function."""

    name: str
    of: str
    check: Check


class Answers:
    """What came of each question that could be asked, in the order in which they were."""

    def __init__(self, stage: StageUnderTest, questions: Sequence[Question]):
        """questions: those that say most come first, for a slow stage is not asked all"""
        self._stage = stage
        self.asked: dict[str, Question] = {}
        self.seen: dict[str, Observed] = {}
        self._again: dict[str, Observed] = {}
        patience = Patience(_SECONDS_FOR_ALL, stage.clock)
        for question in questions:
            if patience.left <= 0 or not self._answered(self.of(question)):
                break  # one that did not end is not the last that would not

    def of(self, question: Question) -> Observed:
        """What came of a question, which is asked now if it was not before."""
        if question.name not in self.seen:
            self.asked[question.name] = question
            self.seen[question.name] = self._ask(question)
        return self.seen[question.name]

    @property
    def failing(self) -> dict[str, Observed]:
        return {name: seen for name, seen in self.seen.items() if seen.wrong}

    def surely_holds(self, name: str) -> bool:
        """Whether a check that was asked is passed, and is again when it is repeated."""
        seen = self.seen[name]
        return seen.ended and not seen.wrong and self.is_steady(name)

    def is_steady(self, name: str) -> bool:
        """Whether a check that was asked holds or fails again when it is repeated."""
        before, again = self.seen[name], self.again(name)
        return (again.wrong, again.ended) == (before.wrong, before.ended)

    def again(self, name: str) -> Observed:
        """What comes of a check that was asked when it is repeated, by other chances."""
        if name not in self._again:
            self._again[name] = self._ask(self.asked[name], seed=1)
        return self._again[name]

    def _answered(self, seen: Observed) -> bool:
        return seen.ended or seen.wrong

    def _ask(self, question: Question, seed: int = 0) -> Observed:
        with silence(seed):
            return observe_until_wrong(question.check, self._stage, seconds=SECONDS)


@contextmanager
def silence(seed: int = 0) -> Iterator[None]:
    """Nothing is printed, and no debugger opens, where nobody asked for a run.

    Who draws by chance without a generator of their own draws the same as others by this seed.
    """
    numbers = random.getstate()
    random.seed(seed)
    stop = sys.breakpointhook
    sys.breakpointhook = lambda *_, **__: None
    try:
        with (
            torch.random.fork_rng(devices=[]),
            open(os.devnull, "w") as nowhere,
            redirect_stdout(nowhere),
            redirect_stderr(nowhere),
        ):
            torch.default_generator.manual_seed(seed)  # that of no GPU, whose modules load slowly
            yield
    finally:
        random.setstate(numbers)
        sys.breakpointhook = stop
