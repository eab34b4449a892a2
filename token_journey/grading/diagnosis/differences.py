"""Say where two tensors differ, the way a teacher would."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from token_journey.checking.comparison import IMPOSSIBLE, Comparison, Mismatch, same_value
from token_journey.foreign import spelled
from token_journey.numbers import row, shown_places
from token_journey.words import differences as words
from token_journey.words.differences import Place
from token_journey.words.finding import Finding

_LISTED = 4


def explain(mismatch: Mismatch) -> list[Finding]:
    """What follows a failed check's first line: what, where, a few numbers."""
    comparison = mismatch.comparison
    if mismatch.complaint:
        return [mismatch.complaint]
    if not isinstance(comparison.expected, Tensor):
        return _values(comparison)
    not_numbers = _not_numbers(comparison)
    if not_numbers:
        return not_numbers
    return [_how_many(comparison), *_by_axis(comparison), *_side_by_side(comparison)]


def _values(comparison: Comparison) -> list[Finding]:
    """Two values that are no tensors, and the first place where two lists part."""
    mine, theirs = comparison.actual, comparison.expected
    found = [Finding(words.yours, _listed(mine))]
    if comparison.held_back:
        return found
    found.append(Finding(words.expected, _listed(theirs)))
    if isinstance(theirs, list):
        pairs = enumerate(zip(mine, theirs, strict=False))
        parted = next((i for i, (one, other) in pairs if not same_value(one, other)), None)
        lengths = Finding(words.lengths, len(mine), len(theirs))
        found.append(lengths if parted is None else Finding(words.parted, parted))
    return found


def _listed(value: object, most: int = 300) -> str:
    text = spelled(value)
    return text if len(text) <= most else text[: most - 1] + "…"


def _how_many(comparison: Comparison) -> Finding:
    wrong = comparison.wrong
    count, total = int(wrong.sum()), wrong.numel()
    if not comparison.expected.dtype.is_floating_point:
        return Finding(words.some_wrong, count, total)
    error = (comparison.actual.detach().double() - comparison.expected.double()).abs()
    worst = error.nan_to_num(nan=0.0, posinf=0.0).max().item()
    allowed = comparison.tolerance
    if isinstance(allowed, Tensor):
        allowed = float(allowed.max())
    if count == total:
        return Finding(words.all_off, worst, allowed)
    return Finding(words.some_off, count, total, worst, allowed)


def _not_numbers(comparison: Comparison) -> list[Finding]:
    """NaN and infinity where there should be numbers: which, and where first."""
    actual, expected = comparison.actual.detach(), comparison.expected
    if not actual.dtype.is_floating_point:
        return []
    cut = expected.isneginf()
    if bool(cut.any()) or bool((actual.isneginf() & expected.isfinite()).any()):
        return _cut_and_kept(comparison)
    nan, infinite = actual.isnan(), actual.isinf() & ~expected.isinf()
    for bad, said, why in (
        (nan, words.are_nan, words.where_nan_comes_from),
        (infinite, words.are_infinite, words.where_infinity_comes_from),
    ):
        if count := int(bad.sum()):
            return [Finding(said, count, bad.numel(), _first(comparison, bad)), Finding(why)]
    return []


def _cut_and_kept(comparison: Comparison) -> list[Finding]:
    """Where −∞ marks what is impossible: what should be cut or kept, and is not."""
    actual, expected = comparison.actual.detach(), comparison.expected
    return [
        Finding(said, _first(comparison, wrong), count - 1)
        for wrong, said in (
            (expected.isneginf() & ~(actual <= IMPOSSIBLE), words.should_be_impossible),
            (expected.isfinite() & (actual <= IMPOSSIBLE), words.should_be_kept),
            (actual.isnan(), words.is_nan),
        )
        if (count := int(wrong.sum()))
    ]


def _by_axis(comparison: Comparison) -> list[Finding]:
    """One for every axis along which only a part is wrong."""
    wrong = comparison.wrong
    found = []
    for axis, called in enumerate(comparison.axes):
        if wrong.ndim <= axis or wrong.shape[axis] < 2:
            continue
        others = [a for a in range(wrong.ndim) if a != axis]
        bad = wrong.any(dim=others) if others else wrong
        if part := _part(bad, called):
            found.append(part)
    return [*found, *filter(None, (_future(comparison), _growth(comparison)))]


def _future(comparison: Comparison) -> Finding | None:
    """Whether all that is wrong is what a query makes of keys that come after it."""
    axes, wrong = comparison.axes, comparison.wrong
    if "query" not in axes or "key" not in axes:
        return None
    table = wrong.movedim((axes.index("query"), axes.index("key")), (-2, -1))
    queries, keys = table.shape[-2:]
    past = torch.ones(queries, keys, dtype=torch.bool, device=wrong.device).tril(keys - queries)
    return None if (table & past).any() else Finding(words.future)


def _part(bad: Tensor, called: str) -> Finding | None:
    wrong = bad.nonzero().flatten().tolist()
    size = len(bad)
    if len(wrong) == size:
        return None
    half = size // 2
    if called == "dim" and size % 2 == 0 and bad[:half].all() and not bad[half:].any():
        return Finding(words.first_half)
    if called == "dim" and size % 2 == 0 and bad[half:].all() and not bad[:half].any():
        return Finding(words.second_half)
    if called in ("hidden", "neuron", "vocabulary", "dim") and len(wrong) > _LISTED:
        return Finding(words.many_places, len(wrong), size, called, wrong[0])
    right = (~bad).nonzero().flatten().tolist()
    if len(right) <= _LISTED < len(wrong):
        return Finding(words.few_right, called, tuple(right))
    if len(wrong) > _LISTED:
        return Finding(words.first_of_many, called, wrong[0], len(wrong), size)
    return Finding(words.few_wrong, called, tuple(wrong))


def _growth(comparison: Comparison) -> Finding | None:
    """Whether the error grows along the sentence."""
    for called in ("token", "query"):
        if called not in comparison.axes:
            continue
        axis = comparison.axes.index(called)
        error = (comparison.actual.detach().double() - comparison.expected.double()).abs()
        error = error.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
        others = [a for a in range(error.ndim) if a != axis]
        along = error.mean(dim=others) if others else error
        if len(along) >= 4 and bool((along[1:] > along[:-1]).all()) and along[-1] > 2 * along[1]:
            return Finding(words.grows, called)
    return None


def _side_by_side(comparison: Comparison) -> list[Finding]:
    """A few numbers of both, from the row with the worst of them, or that one alone."""
    mine, theirs, wrong = comparison.actual.detach(), comparison.expected, comparison.wrong
    if mine.ndim == 0:
        return _beside(mine, theirs, None, comparison.held_back)
    error = (mine.double() - theirs.double()).abs().nan_to_num(nan=0.0, posinf=0.0)
    worst = int(torch.where(wrong, error, -1.0).argmax())
    # torch's own unravel_index imports a compiler, which takes a quarter of a second.
    index = tuple(map(int, np.unravel_index(worst, mine.shape)))
    shown = index[:-1]
    if not any(bool(wrong[shown][i]) for i in shown_places(mine.shape[-1])):
        shown = index
    place = (comparison.axes, shown) if shown else None
    return _beside(mine[shown], theirs[shown], place, comparison.held_back)


def _beside(mine: Tensor, theirs: Tensor, place: Place | None, held_back: bool) -> list[Finding]:
    if held_back:
        return [Finding(words.yours_alone, row(mine), place)]
    decimals = next((d for d in (4, 6, 8) if row(mine, d) != row(theirs, d)), 4)
    return [
        Finding(words.yours, row(mine, decimals), place),
        Finding(words.expected, row(theirs, decimals)),
    ]


def _first(comparison: Comparison, wrong: Tensor) -> Place:
    return comparison.axes, tuple(int(i) for i in wrong.nonzero()[0])
