"""Simple things that can have happened to a right answer: a factor, a transpose, a shift.

Each function looks at a result and at what it should be, and returns a
finding if that is all that lies between them, else None.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from token_journey.checking.comparison import Comparison, wrong_type
from token_journey.words import transformations as words
from token_journey.words.finding import Finding
from token_journey.words.transformations import Origin

Transformation = Callable[[Tensor, Tensor, Comparison], Finding | None]


def transformations_that_fit(comparison: Comparison) -> list[Finding]:
    """Every simple explanation of the difference."""
    actual, expected = comparison.actual, comparison.expected
    if not _comparable(actual, expected):
        return []
    a, e = actual.detach().double(), expected.double()
    return [found for look in _ALL if (found := look(a, e, comparison)) is not None]


def _comparable(actual: object, expected: object) -> bool:
    return (
        wrong_type("", actual, Tensor) is None
        and isinstance(actual, Tensor)
        and isinstance(expected, Tensor)
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


def _factor(a: Tensor, e: Tensor, comparison: Comparison) -> Finding | None:
    if a.shape != e.shape or not e.any():
        return None
    factor = ((a * e).sum() / (e * e).sum()).item()
    if factor == 0 or abs(factor - 1) < 1e-3 or not _fits(a, factor * e, comparison, abs(factor)):
        return None
    if abs(factor + 1) < 1e-3:
        return Finding(words.wrong_sign)
    if abs(factor) > 1:
        origin = _origin(abs(factor), comparison.sizes)
        return Finding(words.times_too_large, factor, origin)
    return Finding(words.times_too_small, 1 / factor, _origin(abs(1 / factor), comparison.sizes))


def _origin(factor: float, sizes: Mapping[str, int]) -> Origin | None:
    """Which size of the model gives the factor, itself or its root."""
    for called, size in sizes.items():
        for root, value in ((True, math.sqrt(size)), (False, size)):
            if size > 1 and abs(factor / value - 1) < 1e-3:
                return size, called, root
    return None


def _offset(a: Tensor, e: Tensor, comparison: Comparison) -> Finding | None:
    if a.shape != e.shape:
        return None
    offset = (a - e).mean().item()
    if not _fits(a, e + offset, comparison):
        return None
    return Finding(words.too_large if offset > 0 else words.too_small, abs(offset))


def _transposed(a: Tensor, e: Tensor, comparison: Comparison) -> Finding | None:
    if a.ndim < 2 or not _fits(a.mT, e, comparison):
        return None
    return Finding(words.transposed)


def _permuted(a: Tensor, e: Tensor, comparison: Comparison) -> Finding | None:
    """The right heads in the wrong order."""
    for axis, called in enumerate(comparison.axes):
        if "head" not in called or a.shape != e.shape or a.shape[axis] < 2:
            continue
        mine, theirs = a.movedim(axis, 0).flatten(1), e.movedim(axis, 0).flatten(1)
        nearest = torch.cdist(mine, theirs, p=torch.inf).argmin(dim=1)
        if sorted(nearest.tolist()) == list(range(len(nearest))) and _fits(
            a, e.index_select(axis, nearest), comparison
        ):
            return Finding(words.permuted, called, tuple(nearest.tolist()))
    return None


def _shifted(a: Tensor, e: Tensor, comparison: Comparison) -> Finding | None:
    for axis, called in enumerate(comparison.axes):
        if a.shape != e.shape or a.shape[axis] < 3 or called not in ("token", "query", "key"):
            continue
        rest = a.shape[axis] - 1
        for said, mine, theirs in ((words.too_late, 1, 0), (words.too_early, 0, 1)):
            if _fits(
                a.narrow(axis, mine, rest),
                e.narrow(axis, theirs, rest),
                _without_tensor(comparison),
            ):
                return Finding(said, called)
    return None


def _reversed(a: Tensor, e: Tensor, comparison: Comparison) -> Finding | None:
    for axis, called in enumerate(comparison.axes):
        if a.shape == e.shape and a.shape[axis] > 1 and _fits(a, e.flip(axis), comparison):
            return Finding(words.in_reverse, called)
    return None


def _halves_exchanged(a: Tensor, e: Tensor, comparison: Comparison) -> Finding | None:
    if a.ndim == 0 or a.shape[-1] % 2 or a.shape != e.shape:
        return None
    first, second = e.chunk(2, dim=-1)
    if _fits(a, torch.cat([second, first], dim=-1), comparison):
        return Finding(words.halves_exchanged)
    return None


def _interleaved(a: Tensor, e: Tensor, comparison: Comparison) -> Finding | None:
    if a.ndim == 0 or a.shape[-1] % 2 or a.shape[-1] < 4 or a.shape != e.shape:
        return None
    if _fits(a, torch.stack(e.chunk(2, dim=-1), dim=-1).flatten(-2), comparison):
        return Finding(words.interleaved)
    return None


def _half_precision(a: Tensor, e: Tensor, comparison: Comparison) -> Finding | None:
    if a.shape != e.shape or comparison.expected.dtype != torch.float32:
        return None
    large = e.abs() > e.abs().max() / 8
    if (a == e)[large].double().mean() > 0.25:
        return None  # what is rounded is hardly ever the same number
    grown = ((a - e) * e)[comparison.wrong] > 0
    # Rounding moves many numbers, some up and some down; a cap or a floor moves them one way.
    if len(grown) < 8 or not 0.1 <= grown.double().mean() <= 0.9:
        return None
    error = (a - e).abs() / e.abs().max()
    for called, dtype in (("float16", torch.float16), ("bfloat16", torch.bfloat16)):
        if bool((error <= 2 * torch.finfo(dtype).eps).all()):
            return Finding(words.rounded, called)
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
