"""What a check asks of a result where no pack holds the answer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from token_journey.checking.comparison import Comparison, compare, wrong_type
from token_journey.course.under_test import CheckFailure, StageUnderTest
from token_journey.words import calls as words


def expect(
    actual: Any,
    expected: Tensor,
    what: str,
    *,
    tolerance: float | Tensor | None = None,
    axes: tuple[str, ...] = (),
    where: str = "",
) -> None:
    """Hold a result against an expected tensor.

    Without a tolerance it is `rounding(expected)`.
    """
    if tolerance is None:
        tolerance = rounding(expected)
    compare(Comparison(what, actual, expected, tolerance, axes, where))


def rounding(expected: Tensor, terms: int = 64) -> float:
    """How far rounding alone may move a number that sums `terms` products.

    `terms` independent roundings of half a unit in the last place add up to
    √terms of them; eight times that is where an honest answer never arrives.
    """
    if not expected.dtype.is_floating_point or not expected.numel():
        return 0.0
    finite = expected[expected.isfinite()]
    largest = finite.abs().max().item() if finite.numel() else 0.0
    return 4 * math.sqrt(terms) * torch.finfo(expected.dtype).eps * max(largest, 1e-30)


def expect_equal(actual: Any, expected: Any, what: str, where: str = "") -> None:
    """Hold a value that is no tensor against what it should be."""
    compare(Comparison(what, _as_it_is(actual), expected, where=where))


def _as_it_is(actual: Any) -> Any:
    """A list and the lists in it: a word that was handed out may be put back after the check."""
    if type(actual) is not list:
        return actual
    return [inner.copy() if type(inner) is list else inner for inner in actual]


def expect_true(holds: bool, otherwise: str) -> None:
    """Fail with the sentence `otherwise` unless `holds`."""
    if not holds:
        raise CheckFailure(otherwise)


def expect_written(stage: StageUnderTest, call: Callable[[], Any], *answers: str) -> None:
    """Fail where a call ends in one of the library functions that are the answer.

    answers: their names, e.g. "softmax"
    """
    stage.load()
    imported = stage.imported_answers()
    if imported:
        libraries = ", ".join(sorted(imported))
        raise CheckFailure(words.answer_imported(stage.file.name, libraries))
    borrowed = stage.operators_called(call) & set(answers)
    if borrowed:
        raise CheckFailure(words.answer_borrowed(sorted(borrowed)[0]))


def tensor(result: Any, what: str) -> Tensor:
    """A result that is about to be worked with, once it is sure to be a tensor."""
    complaint = wrong_type(what, result, Tensor)
    if complaint:
        raise CheckFailure(complaint)
    assert isinstance(result, Tensor)
    if result.is_meta:
        raise CheckFailure(words.no_numbers(what))
    return result


def unpack(result: Any, *names: str) -> tuple[Any, ...]:
    """The parts of a result that should be a tuple of these."""
    if not isinstance(result, tuple | list) or len(result) != len(names):
        kind = None if result is None else type(result).__name__
        raise CheckFailure(words.other_count(names, kind))
    return tuple(result)
