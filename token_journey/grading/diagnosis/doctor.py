"""Which known mistake explains what a learner's stage does?

A mistake fits a failed check where it gives just the learner's numbers. It is named only if it
fails nothing that theirs passes: which checks it fails is known (patterns.py), and theirs is asked
them all, whichever were selected (answers.py). Where it gives other numbers than theirs, or passes
what theirs fails, it is said that something else is wrong, too; and if it gives other numbers more
often than the same, it is not named at all. Nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from types import ModuleType

from torch import Tensor

from token_journey.checking.comparison import fits, wrong_kind
from token_journey.course.lessons import texts_of
from token_journey.course.under_test import StageUnderTest
from token_journey.grading.diagnosis.answers import Answers, Question, silence
from token_journey.grading.diagnosis.bank import Bank, Mistakes
from token_journey.grading.diagnosis.observed import Observed, observe_until_wrong
from token_journey.grading.diagnosis.transformations import transformations_that_fit
from token_journey.guards.time_limit import Patience
from token_journey.words import diagnosis as words
from token_journey.words.finding import Finding

# All are seconds of computing, as a time limit counts them.
# For holding mistakes, or pairs of them, against a failed check.
_SECONDS_A_CHECK = 0.2
# For holding one that fits a check against the others that fail.
_SECONDS_A_MISTAKE = 0.1
# For putting another in the place of each function, where no mistake is known.
_SECONDS_TO_REPLACE = 0.5
# At how many checks is seen which mistakes are likely.
_QUICK = 4
# How many mistakes that all fit are called by their names.
_LISTED = 4


@dataclass(frozen=True)
class Diagnosis:
    """What to tell the learner.

    `story` is the same for failures with the same cause.
    """

    findings: tuple[Finding, ...] = ()
    story: str = ""


@dataclass(frozen=True)
class _Evidence:
    """How many checks a mistake explains, and how many speak against it.

    all:     whether nothing else is wrong
    doubted: how many it may fail, though theirs passes them
    """

    explained: int
    against: int
    all: bool
    doubted: int

    @property
    def believable(self) -> bool:
        return self.explained > self.against


class Doctor:
    """Looks at one learner's stage. All questions are asked, in the order in which they come."""

    def __init__(self, bank: Bank, stage: StageUnderTest, questions: Iterable[Question]):
        self._bank, self._stage = bank, stage
        known = [question for question in questions if question.name in bank.checks]
        self._answers = Answers(stage, known)
        self._evidence = cache(self._held_against_all)
        self._fits = cache(self._do_fit)

    def diagnose(self, question: Question) -> Diagnosis:
        """Find what went wrong in a check that the stage fails."""
        seen = self._answers.of(question)
        if not seen.wrong:
            return Diagnosis()
        if not self._answers.is_steady(question.name):  # then it says nothing
            return _of_chance() if self._is_drawn(question, seen) else Diagnosis()
        found = self._that_fit(question.name)
        if found is None:
            return Diagnosis()
        found = self._best([fit for fit in found if self._evidence(fit).believable])
        if not found and seen.breaks:
            found = self._that_break(question.name)
        if len(found) == 1:
            theirs = self._look(question.name, found[0])
            return _named(found[0], theirs, seen, self._evidence(found[0]).all)
        if found:
            return Diagnosis((_several(found),))
        return self._of_no_known_mistake(question, seen)

    # -- holding mistakes against the learner's ----------------------------------

    @cached_property
    def _possible(self) -> list[Mistakes]:
        return self._bank.possible(self._answers)

    def _that_fit(self, name: str) -> list[Mistakes] | None:
        """All mistakes that fit, or else pairs of them; None where not all could be tried."""
        if found := [mistakes for mistakes in self._likely if self._fits(name, mistakes)]:
            return found
        patience = Patience(_SECONDS_A_CHECK)
        for candidates in (self._possible, self._bank.pairs(self._likely)):
            for mistakes in candidates:
                if patience.left <= 0:
                    return None
                if self._fits(name, mistakes):
                    found.append(mistakes)
            if found:
                break
        return found

    @cached_property
    def _likely(self) -> list[Mistakes]:
        return list(filter(self._is_likely, self._possible))

    def _is_likely(self, mistakes: Mistakes) -> bool:
        """Whether it fits one of the first checks that it fails, which are the quick ones."""
        fails = self._bank.fails(mistakes, self._answers.failing)
        return any(self._fits(name, mistakes) for name in fails[:_QUICK])

    def _look(self, name: str, mistakes: Mistakes) -> Observed:
        """What a check sees of the mistakes, as far as they go the learner's way."""
        return self._bank.observe(self._answers.asked[name], mistakes, self._answers.seen[name])

    def _do_fit(self, name: str, mistakes: Mistakes) -> bool:
        if self._bank.holds(mistakes, name):
            return False
        return self._look(name, mistakes).is_like(self._answers.seen[name])

    def _that_break(self, name: str) -> list[Mistakes]:
        """The one mistake that breaks here, too, and explains all, if there is just one.

        What Python says of it depends on how the rest is written.
        """
        breaking = [mistakes for mistakes in self._possible if self._breaks(name, mistakes)]
        found = [mistakes for mistakes in breaking if self._evidence(mistakes).all]
        return found if len(found) == 1 else []

    def _breaks(self, name: str, mistakes: Mistakes) -> bool:
        if not self._answers.seen[name].breaks or self._bank.holds(mistakes, name):
            return False
        return self._look(name, mistakes).breaks

    def _held_against_all(self, mistakes: Mistakes) -> _Evidence:
        """How far a mistake explains all that fails."""
        patience = Patience(_SECONDS_A_MISTAKE)
        explained, against, rest = set(), set(), False
        for name in self._answers.failing:
            check = self._answers.asked[name].of
            if self._bank.holds(mistakes, name):
                rest = rest or self._answers.is_steady(name)
            elif patience.left <= 0:
                continue
            elif self._fits(name, mistakes):
                explained.add(check)
            elif self._breaks(name, mistakes):
                continue  # each says so in the words of its own lines
            elif self._bank.fails(mistakes, [name]) and self._answers.is_steady(name):
                against.add(check)
        passed = self._answers.asked.keys() - self._answers.failing.keys()
        doubted = len(self._bank.may_fail(mistakes, passed))
        return _Evidence(len(explained), len(against), not (rest or against), doubted)

    def _best(self, found: Sequence[Mistakes]) -> list[Mistakes]:
        """Those that explain most, and of these such as nothing speaks against."""

        def rank(mistakes: Mistakes) -> tuple[int, int, int]:
            held = self._evidence(mistakes)
            return held.explained - held.against, -held.against, -held.doubted

        best = max(map(rank, found), default=None)
        return [mistakes for mistakes in found if rank(mistakes) == best]

    # -- no mistake is known: in which function does it lie? -------------------

    def _of_no_known_mistake(self, question: Question, seen: Observed) -> Diagnosis:
        """In which function it lies, and what simple thing happened to the numbers."""
        if seen.breaks:
            return Diagnosis()  # what Python said of it says enough
        if self._is_drawn(question, seen):
            return _of_chance()
        where = self._where_it_lies(question, Patience(_SECONDS_TO_REPLACE))
        if seen.error is not None:
            return Diagnosis(where)  # its sentence says the rest
        failed = seen.comparisons[-1]
        simple = transformations_that_fit(failed)
        if len(simple) == 1:
            return Diagnosis((*simple, *where), str(simple[0]))
        if wrong_kind("", failed.actual, failed.expected):
            return Diagnosis(where)  # the complaint about its kind says the rest
        return Diagnosis((Finding(words.none_fits), *where))

    def _is_drawn(self, question: Question, seen: Observed) -> bool:
        """Whether the numbers change when the check is repeated, and a right stage's do not."""
        again = self._answers.again(question.name)
        told = (c for run in (again, seen) for c in run.comparisons[-1:])
        if any(wrong_kind("", c.actual, c.expected) for c in told):
            return False  # no numbers that could be held against each other
        if again.is_like(seen):
            return False
        right, other = (self._bank.observe(question, (), seed=seed) for seed in (0, 1))
        pairs = zip(right.comparisons, other.comparisons, strict=False)
        return all(fits(mine.actual, its) for mine, its in pairs)

    def _where_it_lies(self, question: Question, patience: Patience) -> tuple[Finding, ...]:
        """The one function of several with the reference's version of which the check holds."""
        functions = self._shared_with(self._stage.load())
        if len(functions) < 2:
            return ()
        helps = []
        for name in functions:
            if (left := patience.left) <= 0:
                return ()  # not all were tried, so nothing is known
            replaced = self._stage.with_function_of(self._bank.reference, name, functions)
            with silence(), replaced as other:
                seen = observe_until_wrong(question.check, other, seconds=left)
            if seen.ended and not seen.wrong:
                helps.append(name)
        if len(helps) != 1:
            return ()
        return (Finding(words.lies_in, helps[0]),)

    def _shared_with(self, module: ModuleType) -> list[str]:
        """What the reference's stage defines and the learner's, too."""
        reference = self._bank.reference.module(self._bank.stage)
        return [
            name
            for name, value in vars(reference).items()
            if getattr(value, "__module__", None) == reference.__name__ and hasattr(module, name)
        ]


def _of_chance() -> Diagnosis:
    chance = Finding(words.by_chance)
    return Diagnosis((chance,), str(chance))


def _named(mistakes: Mistakes, theirs: Observed, seen: Observed, all_is_said: bool) -> Diagnosis:
    texts = [texts_of(mistake) for mistake in mistakes]
    names = tuple(text.name for text in texts)
    does = tuple(text.does for text in texts)
    looks = Finding(words.looks_as_if, names, does, _distances(theirs, seen))
    rest = () if all_is_said else (Finding(words.something_else),)
    read_again = Finding(words.read_again, tuple(dict.fromkeys(text.read for text in texts)))
    return Diagnosis((looks, *rest, read_again), words.names_of(names))


def _distances(theirs: Observed, seen: Observed) -> tuple[float, float] | None:
    """How near the mistake comes, beside how far the right answer is."""
    if seen.error is not None:
        return None
    failed = seen.comparisons[-1]
    mine, mistaken, right = failed.actual, theirs.comparisons[-1].actual, failed.expected
    if not (isinstance(right, Tensor) and mine.shape == mistaken.shape == right.shape):
        return None
    if not right.dtype.is_floating_point:
        return None
    if not bool((mine.isfinite() == right.isfinite()).all()):
        return None  # what is infinite or no number has no distance
    return _distance(mine, mistaken), _distance(mine, right)


def _distance(one: Tensor, other: Tensor) -> float:
    apart = (one.detach().double() - other.detach().double()).abs()
    return apart[apart.isfinite()].max().item() if apart.isfinite().any() else 0.0


def _several(found: Sequence[Mistakes]) -> Finding:
    if len(found) > _LISTED:
        return Finding(words.many_fit, len(found))
    names = tuple(tuple(texts_of(mistake).name for mistake in mistakes) for mistakes in found)
    return Finding(words.several_fit, names)
