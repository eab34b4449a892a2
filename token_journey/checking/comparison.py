"""Hold what a learner's function returned against what it should have been.

Every result goes through `compare`. It raises `Mismatch`, which carries both
sides, so that whoever explains a failure (differences.py) or looks for its cause
(doctor.py) can work from the same numbers.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from token_journey.course.under_test import CheckFailure
from token_journey.foreign import name_of_class
from token_journey.words import comparison as words
from token_journey.words.finding import Finding

# What stands for "impossible" where the reference has −inf: a masked score of
# −1e4 or less can't be told from −inf after a softmax.
IMPOSSIBLE = -1e4
_EXACT = (list, str, int, bytes)


@dataclass(frozen=True)
class Comparison:
    """One result beside what it should be: a tensor, or text or a list of ids.

    `tolerance` is the largest distance allowed, one number or one for every
    element. `axes` name the axes of `expected`, first to last; `sizes` are those
    of the model. `held_back` keeps the expected numbers out of every message.
    """

    what: str
    actual: Any
    expected: Any
    tolerance: float | Tensor = 0.0
    axes: tuple[str, ...] = ()
    where: str = ""
    held_back: bool = False
    sizes: Mapping[str, int] = field(default_factory=dict)

    def with_tolerance(self, tolerance: float) -> Comparison:
        return replace(self, tolerance=tolerance)

    @property
    def wrong(self) -> Tensor:
        """Which elements lie too far off; only for an actual of the right kind."""
        return ~_close(self.actual, self.expected, self.tolerance)


class Mismatch(CheckFailure):
    """The numbers differ, or are not numbers of the right kind."""

    def __init__(self, comparison: Comparison, complaint: Finding | None):
        super().__init__(complaint or Finding(words.differs, comparison.what))
        self.comparison = comparison
        self.complaint = complaint


_held_back: ContextVar[bool] = ContextVar("held_back", default=False)


@contextmanager
def holding_back(expected: bool) -> Iterator[None]:
    """Keep what is expected out of the messages of all comparisons, however they are made."""
    token = _held_back.set(expected)
    try:
        yield
    finally:
        _held_back.reset(token)


Observer = Callable[[Comparison], None]
_observer: ContextVar[Observer | None] = ContextVar("observer", default=None)


@contextmanager
def observed_by(observer: Observer) -> Iterator[None]:
    """Hand every comparison to `observer` instead of judging it."""
    token = _observer.set(observer)
    try:
        yield
    finally:
        _observer.reset(token)


def compare(comparison: Comparison) -> None:
    """Raise Mismatch unless the actual result is the expected one."""
    if _held_back.get():
        comparison = replace(comparison, held_back=True)
    observer = _observer.get()
    if observer is not None:
        observer(comparison)
        return
    if not holds(comparison):
        complaint = wrong_kind(comparison.what, comparison.actual, comparison.expected)
        raise Mismatch(comparison, complaint)


def holds(comparison: Comparison) -> bool:
    """Whether the actual result is of the right kind and near enough."""
    actual, expected = comparison.actual, comparison.expected
    return wrong_kind("", actual, expected) is None and _same(
        actual, expected, comparison.tolerance
    )


def fits(actual: Any, comparison: Comparison) -> bool:
    """Whether the learner's result is `actual`, within the comparison's tolerance.

    NaN fits NaN: a mistake that makes NaN is known by where it makes them. Where a right
    answer is exact, a wrong one may still round.
    """
    theirs, tolerance = comparison.actual, comparison.tolerance
    if wrong_kind("", theirs, actual) is not None:
        return False
    if not isinstance(actual, Tensor) or not actual.dtype.is_floating_point:
        return _same(theirs, actual, tolerance)
    if not torch.equal(theirs.isnan(), actual.isnan()):
        return False
    if isinstance(tolerance, Tensor) and tolerance.shape != actual.shape:
        tolerance = float(tolerance.min())
    if not isinstance(tolerance, Tensor):
        tolerance = max(tolerance, _rounding(actual))
    return _same(theirs.nan_to_num(nan=0.0), actual.nan_to_num(nan=0.0), tolerance)


def _rounding(actual: Tensor) -> float:
    finite = actual[actual.isfinite()]
    largest = finite.abs().max().item() if finite.numel() else 0.0
    return 16 * torch.finfo(actual.dtype).eps * largest


def _same(actual: Any, expected: Any, tolerance: float | Tensor) -> bool:
    if isinstance(expected, Tensor):
        return bool(_close(actual, expected, tolerance).all())
    return same_value(actual, expected)


def same_value(actual: Any, expected: Any) -> bool:
    """Whether two values that are no tensors are the same, whatever a class says of itself.

    An integer may be numpy's or torch's.
    """
    kind: Any = type(expected)
    if kind in (list, tuple, str, bytes):
        if not issubclass(type(actual), kind):  # `isinstance` asks the class, too
            return False
        actual = kind.__getitem__(actual, slice(None))  # a plain one
    if isinstance(expected, list | tuple):
        return len(actual) == len(expected) and all(map(same_value, actual, expected))
    if kind is int and type(actual) is not float:
        actual = _integer(actual)
    return bool(actual == expected)


def _integer(value: Any) -> int | None:
    try:
        return int.__int__(operator.index(value))
    except Exception:  # no integer, or of a class that does not want to be one
        return None


def wrong_kind(what: str, actual: Any, expected: Any) -> Finding | None:
    """What makes `actual` no candidate at all: wrong type, shape, dtype or device."""
    complaint = wrong_type(what, actual, type(expected))
    if complaint or not isinstance(expected, Tensor):
        return complaint
    if actual.device != expected.device:
        return Finding(words.other_device, what, str(actual.device), str(expected.device))
    if actual.shape != expected.shape:
        return Finding(words.other_shape, what, tuple(actual.shape), tuple(expected.shape))
    if actual.dtype != expected.dtype:
        return Finding(words.other_dtype, what, _name(actual.dtype), _name(expected.dtype))
    return None


def wrong_type(what: str, actual: Any, wanted: type) -> Finding | None:
    """What is wrong with the type of `actual`, if anything is."""
    if actual is None:
        return Finding(words.is_none, what)
    # A class made from one of these may answer every comparison as it likes.
    if wanted is Tensor and type(actual) is Tensor:
        if actual.layout is torch.strided:
            return None
        return Finding(words.not_dense, what, _name(actual.layout))
    if wanted in _EXACT and type(actual) is wanted:
        return None
    if wanted is not Tensor and wanted not in _EXACT and isinstance(actual, wanted):
        return None
    should = "torch.Tensor" if wanted is Tensor else wanted.__name__
    return Finding(words.other_type, what, name_of_class(actual), should)


def _close(actual: Tensor, expected: Tensor, tolerance: float | Tensor) -> Tensor:
    if not expected.dtype.is_floating_point:
        return actual == expected
    a, e = actual.detach().double(), expected.double()
    impossible = torch.isneginf(e) & (a <= IMPOSSIBLE)
    return ((a - e).abs() <= tolerance) | (a == e) | impossible


def _name(kind: torch.dtype | torch.layout) -> str:
    return str(kind).removeprefix("torch.")
