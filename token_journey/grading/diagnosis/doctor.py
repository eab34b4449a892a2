"""Which known mistake gives just these numbers?

A failed check is run again with each of the stage's misconceptions in the
place of the learner's work, and what they return at the same comparison is
held against what the learner's returned. One that fits, and only one, is
named; where none or several fit, that is said. Nothing is guessed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial, wraps
from types import FunctionType, ModuleType
from typing import Any

from torch import Tensor

from token_journey.checking.comparison import wrong_kind
from token_journey.course.implementation import CannotLoad, Implementation
from token_journey.course.lessons import texts_of
from token_journey.course.misconceptions import Misconception, rewrites_in, rewritten
from token_journey.course.under_test import Check, CheckFailure, StageUnderTest
from token_journey.grading.diagnosis.observed import Observed, observe_until_wrong
from token_journey.grading.diagnosis.transformations import transformations_that_fit
from token_journey.guards.time_limit import Patience
from token_journey.words import diagnosis as words
from token_journey.words.finding import Finding

# All are seconds of computing, as a time limit counts them.
# For pairs of mistakes, of which there are too many to try them all.
_SECONDS_FOR_PAIRS = 1.0
# For telling mistakes apart that all fit.
_SECONDS_TO_CHOOSE = 1.0
# For single ones, which are all tried: what fits is named only if nothing else does.
_SECONDS_FOR_ALL = 10.0
# For looking whether the learner's passes checks that a mistake fails.
_SECONDS_TO_DOUBT = 0.05
# For putting another in the place of each function, where no mistake is known.
_SECONDS_TO_REPLACE = 0.5
# On how many other models a check is tried, to see whether it fails there, too.
_SIBLINGS = 3
# How many mistakes that all fit are called by their names.
_LISTED = 4


@dataclass(frozen=True)
class _Fit:
    """Mistakes that give the learner's numbers, and what a check saw of them."""

    mistakes: tuple[Misconception, ...]
    seen: Observed


@dataclass(frozen=True)
class Diagnosis:
    """What to tell the learner, and what it was if exactly one explanation fits.

    `story` is the same for failures with the same cause.
    """

    findings: tuple[Finding, ...] = ()
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
        self,
        check: Check,
        stage: StageUnderTest,
        known: tuple[Misconception, ...] = (),
        others: Iterable[Check] = (),
        siblings: Iterable[Check] = (),
    ) -> Diagnosis:
        """Find what went wrong in `check`, which fails on `stage`, the learner's.

        known:    what was found in an earlier check of this stage; if it explains
                  this one too, nothing else is tried
        others:   the stage's checks, to tell apart mistakes that all fit this one
        siblings: the same check on other models, the quickest first: one that fails, too,
                  rules out most mistakes
        """
        seen = observe_until_wrong(check, stage)
        if not seen.wrong:
            return Diagnosis()
        if known and (fit := self._try(check, seen, known)):
            return _named(fit, seen)
        others = list(others)
        found = self._found(check, seen, stage, siblings, pairs=not known)
        if found is None:
            return Diagnosis()
        found = self._told_apart(found, stage, others, Patience(_SECONDS_TO_CHOOSE))
        if len(found) == 1 and seen.is_weak:
            doubt = Patience(_SECONDS_TO_DOUBT)
            found = [fit for fit in found if not self._is_cleared(fit, stage, others, doubt)]
        if len(found) == 1:
            return _named(found[0], seen)
        if found:
            return Diagnosis((_several([fit.mistakes for fit in found]),))
        return self._of_no_known_mistake(check, seen, stage)

    def _found(
        self,
        check: Check,
        seen: Observed,
        stage: StageUnderTest,
        siblings: Iterable[Check],
        pairs: bool,
    ) -> list[_Fit] | None:
        """All mistakes, or `pairs` of them, that fit; None where not all could be tried."""
        patience = Patience(_SECONDS_FOR_ALL)
        at_play = self._functions_at_play(check, seen)
        likely = self._likely(seen, stage, self._singles(at_play), siblings)
        found = list(self._that_fit(check, seen, likely, patience))
        if not found:
            found = list(self._that_fit(check, seen, self._singles(at_play), patience))
        if patience.left <= 0:
            return None
        if not found and pairs and seen.error is None:
            patience = Patience(_SECONDS_FOR_PAIRS)
            found = list(self._that_fit(check, seen, self._pairs(at_play), patience))
        return found

    def _of_no_known_mistake(
        self, check: Check, seen: Observed, stage: StageUnderTest
    ) -> Diagnosis:
        """In which function it lies, and what simple thing happened to the numbers."""
        if seen.error is not None and not isinstance(seen.error, CheckFailure):
            return Diagnosis()  # what Python said of it says enough
        where = self._where_it_lies(check, stage, Patience(_SECONDS_TO_REPLACE))
        if seen.error is not None:
            return Diagnosis(where)  # its sentence says the rest
        failed = seen.comparisons[-1]
        simple = transformations_that_fit(failed)
        if len(simple) == 1:
            return Diagnosis((*simple, *where), str(simple[0]))
        if wrong_kind("", failed.actual, failed.expected):
            return Diagnosis(where)  # the complaint about its kind says the rest
        return Diagnosis((Finding(words.none_fits), *where))

    # -- the bank -------------------------------------------------------------

    def _misconceptions(self) -> list[Misconception]:
        try:
            known = rewrites_in(self.bank.module(self.stage))
        except CannotLoad:
            return []
        return [m for m in known if isinstance(m, Misconception)]

    def _singles(self, functions: set[str]) -> Iterator[tuple[Misconception, ...]]:
        return ((m,) for m in self._misconceptions() if m.function in functions)

    def _pairs(self, functions: set[str]) -> Iterator[tuple[Misconception, ...]]:
        at_play = [mistake for (mistake,) in self._singles(functions)]
        for one, other in itertools.combinations(at_play, 2):
            if one.function != other.function:
                yield one, other

    def _functions_at_play(self, check: Check, seen: Observed) -> set[str]:
        """What a check calls of the stage before it sees what is wrong: no other mistake tells."""
        module = rewritten(self.reference, self.stage)
        called: set[str] = set()
        for name, value in list(vars(module).items()):
            if getattr(value, "__module__", None) != module.__name__:
                continue
            if isinstance(value, FunctionType):
                setattr(module, name, _noted(name, value, called))
            else:
                called.add(name)  # a class can be used in more ways than by a call
        observe_until_wrong(check, StageUnderTest(self._file, partial(_itself, module)), seen)
        return called

    def _write(self, mistakes: tuple[Misconception, ...]) -> ModuleType:
        return rewritten(self.reference, self.stage, *mistakes)

    # -- no mistake is known: in which function does it lie? -------------------

    def _where_it_lies(
        self, check: Check, stage: StageUnderTest, patience: Patience
    ) -> tuple[Finding, ...]:
        """The one function of several with the reference's version of which the check holds."""
        module = stage.load()
        functions = self._shared_with(module)
        if len(functions) < 2:
            return ()
        helps = []
        for name in functions:
            if (left := patience.left) <= 0:
                return ()  # not all were tried, so nothing is known
            with stage.with_function_of(self.reference, name, functions) as other:
                seen = observe_until_wrong(check, other, seconds=left)
            if seen.ended and not seen.wrong:
                helps.append(name)
        if len(helps) != 1:
            return ()
        return (Finding(words.lies_in, helps[0]),)

    def _shared_with(self, module: ModuleType) -> list[str]:
        """What the reference's stage defines and the learner's, too."""
        reference = self.reference.module(self.stage)
        return [
            name
            for name, value in vars(reference).items()
            if getattr(value, "__module__", None) == reference.__name__ and hasattr(module, name)
        ]

    # -- holding them against the learner's -----------------------------------

    def _that_fit(
        self,
        check: Check,
        seen: Observed,
        candidates: Iterator[tuple[Misconception, ...]],
        patience: Patience,
    ) -> Iterator[_Fit]:
        for mistakes in candidates:
            if patience.left <= 0:
                return
            if fit := self._try(check, seen, mistakes):
                yield fit

    def _try(
        self, check: Check, seen: Observed, mistakes: tuple[Misconception, ...]
    ) -> _Fit | None:
        theirs = self._observe(check, mistakes, like=seen)
        return _Fit(mistakes, theirs) if theirs.is_like(seen) else None

    def _likely(
        self,
        seen: Observed,
        stage: StageUnderTest,
        candidates: Iterator[tuple[Misconception, ...]],
        siblings: Iterable[Check],
    ) -> Iterator[tuple[Misconception, ...]]:
        """Those that fit the first sibling on which the learner's fails, too, and no later.

        One that goes wrong at a later comparison takes longer than the failed check itself.
        """
        for sibling in itertools.islice(siblings, _SIBLINGS):
            there = observe_until_wrong(sibling, stage)
            if there.wrong and len(there.comparisons) <= len(seen.comparisons):
                return (m for m in candidates if self._try(sibling, there, m))
        return candidates

    def _told_apart(
        self, found: list[_Fit], stage: StageUnderTest, others: Iterable[Check], patience: Patience
    ) -> list[_Fit]:
        """Those that behave like the learner's in other checks as well."""
        for other in others:
            if len(found) < 2 or patience.left <= 0:
                break
            seen = observe_until_wrong(other, stage)
            alike = [fit for fit in found if self._observe(other, fit.mistakes).agrees(seen)]
            found = alike or found
        return found

    def _is_cleared(
        self, fit: _Fit, stage: StageUnderTest, others: Iterable[Check], patience: Patience
    ) -> bool:
        """Whether the learner's passes a check that the mistake fails: then it isn't theirs."""
        for other in others:
            if patience.left <= 0:
                return False
            fails = self._observe(other, fit.mistakes).wrong
            if fails and not observe_until_wrong(other, stage).wrong:
                return True
        return False

    def _observe(
        self, check: Check, mistakes: tuple[Misconception, ...], like: Observed | None = None
    ) -> Observed:
        """What a check sees of the reference's stage with these mistakes in it."""
        stage = StageUnderTest(self._file, partial(_itself, self._mistaken(mistakes)))
        return observe_until_wrong(check, stage, like)


def _itself(module: ModuleType) -> ModuleType:
    return module


def _noted(name: str, function: FunctionType, called: set[str]) -> Callable[..., Any]:
    """The same function, which leaves its name in `called`."""

    @wraps(function)
    def noting(*args: Any, **kwargs: Any) -> Any:
        called.add(name)
        return function(*args, **kwargs)

    return noting


def _named(fit: _Fit, seen: Observed) -> Diagnosis:
    texts = [texts_of(mistake) for mistake in fit.mistakes]
    names = tuple(text.name for text in texts)
    does = tuple(text.does for text in texts)
    looks = Finding(words.looks_as_if, names, does, _distances(fit.seen, seen))
    read_again = Finding(words.read_again, tuple(dict.fromkeys(text.read for text in texts)))
    return Diagnosis((looks, read_again), words.names_of(names), fit.mistakes)


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


def _several(found: list[tuple[Misconception, ...]]) -> Finding:
    if len(found) > _LISTED:
        return Finding(words.many_fit, len(found))
    names = tuple(tuple(texts_of(mistake).name for mistake in mistakes) for mistakes in found)
    return Finding(words.several_fit, names)
