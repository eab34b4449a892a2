"""Simple things that can have happened to a right answer: a factor, a transpose, a shift.

Each function looks at a result and at what it should be, and returns a
sentence if that is all that lies between them, else None.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from token_journey.checking.comparison import Comparison, wrong_type
from token_journey.numbers import number

Transformation = Callable[[Tensor, Tensor, Comparison], str | None]


def transformations_that_fit(comparison: Comparison) -> list[str]:
    """Every simple explanation of the difference, as a sentence."""
    actual, expected = comparison.actual, comparison.expected
    if not _comparable(actual, expected):
        return []
    a, e = actual.detach().double(), expected.double()
    return [said for look in _ALL if (said := look(a, e, comparison)) is not None]


def _comparable(actual: object, expected: object) -> bool:
    return (
        isinstance(actual, Tensor)
        and isinstance(expected, Tensor)
        and wrong_type("", actual, Tensor) is None
        and actual.dtype == expected.dtype
        and actual.dtype.is_floating_point
        and actual.device == expected.device
        and bool(actual.isfinite().all())
        and bool(expected.isfinite().all())
        and expected.numel() > 3
    )


def _fits(a: Tensor, e: Tensor, comparison: Comparison, scale: float = 1.0) -> bool:
    tolerance = comparison.tolerance
    if isinstance(tolerance, Tensor) and tolerance.shape != e.shape:
        return False
    return a.shape == e.shape and bool(((a - e).abs() <= tolerance * max(1.0, scale)).all())


def _factor(a: Tensor, e: Tensor, comparison: Comparison) -> str | None:
    if a.shape != e.shape or not e.any():
        return None
    factor = ((a * e).sum() / (e * e).sum()).item()
    if factor == 0 or abs(factor - 1) < 1e-3 or not _fits(a, factor * e, comparison, abs(factor)):
        return None
    if abs(factor + 1) < 1e-3:
        return "Every number has the wrong sign."
    size, side = (factor, "large") if abs(factor) > 1 else (1 / factor, "small")
    origin = _origin(abs(size), comparison.sizes)
    return f"Every number is {number(size)} times too {side}{origin}."


def _origin(factor: float, sizes: Mapping[str, int]) -> str:
    """`: that is √128, and 128 is the head dim`, where a size of the model gives the factor."""
    for called, size in sizes.items():
        for text, value in ((f"√{size}", math.sqrt(size)), (str(size), size)):
            if size > 1 and abs(factor / value - 1) < 1e-3:
                return f": that is {text}, and {size} is the {called}"
    return ""


def _offset(a: Tensor, e: Tensor, comparison: Comparison) -> str | None:
    if a.shape != e.shape:
        return None
    offset = (a - e).mean().item()
    if not _fits(a, e + offset, comparison):
        return None
    side = "large" if offset > 0 else "small"
    return f"Every number is too {side} by the same {number(abs(offset))}."


def _transposed(a: Tensor, e: Tensor, comparison: Comparison) -> str | None:
    if a.ndim < 2 or not _fits(a.mT, e, comparison):
        return None
    return "The last two axes are exchanged: yours is the transpose."


def _permuted(a: Tensor, e: Tensor, comparison: Comparison) -> str | None:
    """The right heads in the wrong order."""
    for axis, called in enumerate(comparison.axes):
        if "head" not in called or a.shape != e.shape or a.shape[axis] < 2:
            continue
        mine, theirs = a.movedim(axis, 0).flatten(1), e.movedim(axis, 0).flatten(1)
        nearest = torch.cdist(mine, theirs, p=torch.inf).argmin(dim=1)
        if sorted(nearest.tolist()) == list(range(len(nearest))) and _fits(
            a, e.index_select(axis, nearest), comparison
        ):
            order = ", ".join(map(str, nearest.tolist()))
            return f"The {called}s are right but stand in the order {order}."
    return None


def _shifted(a: Tensor, e: Tensor, comparison: Comparison) -> str | None:
    for axis, called in enumerate(comparison.axes):
        if a.shape != e.shape or a.shape[axis] < 3 or called not in ("token", "query", "key"):
            continue
        rest = a.shape[axis] - 1
        for said, mine, theirs in (("late", 1, 0), ("early", 0, 1)):
            if _fits(
                a.narrow(axis, mine, rest),
                e.narrow(axis, theirs, rest),
                _without_tensor(comparison),
            ):
                return f"Along {called} everything comes one place too {said}."
    return None


def _reversed(a: Tensor, e: Tensor, comparison: Comparison) -> str | None:
    for axis, called in enumerate(comparison.axes):
        if a.shape == e.shape and a.shape[axis] > 1 and _fits(a, e.flip(axis), comparison):
            return f"Along {called} the order is reversed."
    return None


def _halves_exchanged(a: Tensor, e: Tensor, comparison: Comparison) -> str | None:
    if a.ndim == 0 or a.shape[-1] % 2 or a.shape != e.shape:
        return None
    first, second = e.chunk(2, dim=-1)
    if _fits(a, torch.cat([second, first], dim=-1), comparison):
        return "The two halves of the last axis are exchanged."
    return None


def _interleaved(a: Tensor, e: Tensor, comparison: Comparison) -> str | None:
    if a.ndim == 0 or a.shape[-1] % 2 or a.shape[-1] < 4 or a.shape != e.shape:
        return None
    if _fits(a, torch.stack(e.chunk(2, dim=-1), dim=-1).flatten(-2), comparison):
        return "The two halves of the last axis are shuffled into each other, like a deck of cards."
    return None


def _half_precision(a: Tensor, e: Tensor, comparison: Comparison) -> str | None:
    if a.shape != e.shape or comparison.expected.dtype != torch.float32:
        return None
    grown = ((a - e) * e)[comparison.wrong] > 0
    # Rounding moves many numbers, some up and some down; a cap or a floor moves them one way.
    if len(grown) < 8 or not 0.1 <= grown.double().mean() <= 0.9:
        return None
    error = (a - e).abs() / e.abs().max()
    for called, dtype in (("float16", torch.float16), ("bfloat16", torch.bfloat16)):
        if bool((error <= 2 * torch.finfo(dtype).eps).all()):
            return f"It is right up to the rounding of {called}: is something computed in {called}?"
    return None


def _without_tensor(comparison: Comparison) -> Comparison:
    tolerance = comparison.tolerance
    if isinstance(tolerance, Tensor):
        tolerance = float(tolerance.min())
    return comparison.with_tolerance(tolerance)


_ALL: tuple[Transformation, ...] = (
    _factor,
    _offset,
    _transposed,
    _permuted,
    _shifted,
    _reversed,
    _halves_exchanged,
    _interleaved,
    _half_precision,
)
