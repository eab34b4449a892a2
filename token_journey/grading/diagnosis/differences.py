"""Say where two tensors differ, the way a teacher would."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from token_journey.checking.comparison import IMPOSSIBLE, Comparison, Mismatch
from token_journey.numbers import row, shown_places, size

_LISTED = 4


def explain(mismatch: Mismatch) -> list[str]:
    """The lines that follow a failed check's first one: what, where, a few numbers."""
    comparison = mismatch.comparison
    if mismatch.complaint:
        return [mismatch.complaint]
    if not isinstance(comparison.expected, Tensor):
        return _values(comparison)
    not_numbers = _not_numbers(comparison)
    if not_numbers:
        return not_numbers
    return [_how_many(comparison), *_by_axis(comparison), *_side_by_side(comparison)]


def _values(comparison: Comparison) -> list[str]:
    """Two values that are no tensors, and the first place where two lists part."""
    lines = [f"yours    {_listed(comparison.actual)}"]
    if comparison.held_back:
        return lines
    lines.append(f"expected {_listed(comparison.expected)}")
    if isinstance(comparison.expected, list):
        pairs = zip(comparison.actual, comparison.expected, strict=False)
        parted = next((i for i, (mine, theirs) in enumerate(pairs) if mine != theirs), None)
        if parted is None:
            lines.append(
                f"Yours has {len(comparison.actual)}, expected {len(comparison.expected)}."
            )
        else:
            lines.append(f"They part at place {parted}.")
    return lines


def _listed(value: object, most: int = 300) -> str:
    text = repr(value)
    return text if len(text) <= most else text[: most - 1] + "…"


def _how_many(comparison: Comparison) -> str:
    wrong = comparison.wrong
    count, total = int(wrong.sum()), wrong.numel()
    if not comparison.expected.dtype.is_floating_point:
        return f"{count} of {total} are wrong."
    error = (comparison.actual.detach().double() - comparison.expected.double()).abs()
    worst = error.nan_to_num(nan=0.0, posinf=0.0).max().item()
    allowed = comparison.tolerance
    if isinstance(allowed, Tensor):
        allowed = float(allowed.max())
    share = "every number is" if count == total else f"{count} of {total} numbers are"
    return f"{share[0].upper()}{share[1:]} off, by up to {size(worst)}; {size(allowed)} is allowed."


def _not_numbers(comparison: Comparison) -> list[str]:
    """NaN and infinity where there should be numbers: which, and where first."""
    actual, expected = comparison.actual.detach(), comparison.expected
    if not actual.dtype.is_floating_point:
        return []
    cut = expected.isneginf()
    if bool(cut.any()) or bool((actual.isneginf() & expected.isfinite()).any()):
        return _cut_and_kept(comparison)
    for bad, called, hint in (
        (
            actual.isnan(),
            "NaN",
            "0/0, 0 · ∞, ∞ − ∞ or a row in which everything is masked makes NaN",
        ),
        (
            actual.isinf() & ~expected.isinf(),
            "infinity",
            "e^x of a large x overflows, and so does a division by 0",
        ),
    ):
        count = int(bad.sum())
        if count:
            first = tuple(int(i) for i in bad.nonzero()[0])
            place = _place(comparison, first)
            return [
                f"{count} of {bad.numel()} numbers are {called}, first at {place}.",
                f"Where it may come from: {hint}.",
            ]
    return []


def _cut_and_kept(comparison: Comparison) -> list[str]:
    """Where −∞ marks what is impossible: what should be cut or kept, and is not."""
    actual, expected = comparison.actual.detach(), comparison.expected
    lines = []
    for wrong, said in (
        (
            expected.isneginf() & ~(actual <= IMPOSSIBLE),
            "should be impossible (−∞) and kept a score",
        ),
        (expected.isfinite() & (actual <= IMPOSSIBLE), "should have kept a score and was cut (−∞)"),
        (actual.isnan(), "is NaN: ∞ − ∞, 0 · ∞ or 0/0"),
    ):
        count = int(wrong.sum())
        if count:
            place = _place(comparison, tuple(int(i) for i in wrong.nonzero()[0]))
            others = f", and {count - 1} more like it" if count > 1 else ""
            lines.append(f"{place[0].upper()}{place[1:]} {said}{others}.")
    return lines


def _by_axis(comparison: Comparison) -> list[str]:
    """One line for every axis along which only a part is wrong."""
    wrong = comparison.wrong
    lines = []
    for axis, called in enumerate(comparison.axes):
        if wrong.ndim <= axis or wrong.shape[axis] < 2:
            continue
        others = [a for a in range(wrong.ndim) if a != axis]
        bad = wrong.any(dim=others) if others else wrong
        line = _part(bad, called)
        if line:
            lines.append(line)
    return [*lines, *filter(None, (_future(comparison), _growth(comparison)))]


def _future(comparison: Comparison) -> str | None:
    """Whether all that is wrong is what a query makes of keys that come after it."""
    axes, wrong = comparison.axes, comparison.wrong
    if "query" not in axes or "key" not in axes:
        return None
    table = wrong.movedim((axes.index("query"), axes.index("key")), (-2, -1))
    queries, keys = table.shape[-2:]
    past = torch.ones(queries, keys, dtype=torch.bool, device=wrong.device).tril(keys - queries)
    return None if (table & past).any() else "Only keys in the future of their query are wrong."


def _part(bad: Tensor, called: str) -> str | None:
    indices = bad.nonzero().flatten().tolist()
    size = len(bad)
    if len(indices) == size:
        return None
    half = size // 2
    if called == "dim" and size % 2 == 0 and bad[:half].all() and not bad[half:].any():
        return "Only the first half of each head is wrong."
    if called == "dim" and size % 2 == 0 and bad[half:].all() and not bad[:half].any():
        return "Only the second half of each head is wrong."
    if called in ("hidden", "neuron", "vocabulary", "dim") and len(indices) > _LISTED:
        return f"{len(indices)} of {size} places along {called} are wrong, from {indices[0]} on."
    right = [i for i in range(size) if not bad[i]]
    if len(right) <= _LISTED < len(indices):
        return f"{_which(called, right)} right, every other {called} is wrong."
    if len(indices) > _LISTED:
        return f"{called} {indices[0]} is the first that is wrong; {len(indices)} of {size} are."
    return f"Only {_which(called, indices).lower()} wrong."


def _which(called: str, indices: list[int]) -> str:
    if len(indices) == 1:
        return f"{called} {indices[0]} is".capitalize()
    listed = ", ".join(map(str, indices[:-1])) + f" and {indices[-1]}"
    several = f"{called[:-1]}ies" if called.endswith("ry") else f"{called}s"
    return f"{several} {listed} are".capitalize()


def _growth(comparison: Comparison) -> str | None:
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
            return f"The error grows from {called} to {called}."
    return None


def _side_by_side(comparison: Comparison) -> list[str]:
    """A few numbers of both, from the row with the worst of them, or that one alone."""
    mine, theirs, wrong = comparison.actual.detach(), comparison.expected, comparison.wrong
    if mine.ndim == 0:
        return _beside(mine, theirs, "", comparison.held_back)
    error = (mine.double() - theirs.double()).abs().nan_to_num(nan=0.0, posinf=0.0)
    worst = int(torch.where(wrong, error, -1.0).argmax())
    # torch's own unravel_index imports a compiler, which takes a quarter of a second.
    index = tuple(map(int, np.unravel_index(worst, mine.shape)))
    within = index[:-1]
    if not any(bool(wrong[within][i]) for i in shown_places(mine.shape[-1])):
        place = f" at {_place(comparison, index)}"
        return _beside(mine[index], theirs[index], place, comparison.held_back)
    place = f" at {_place(comparison, within)}" if within else ""
    return _beside(mine[within], theirs[within], place, comparison.held_back)


def _beside(mine: Tensor, theirs: Tensor, place: str, held_back: bool) -> list[str]:
    if held_back:
        return [f"yours{place}: {row(mine)}"]
    decimals = next((d for d in (4, 6, 8) if row(mine, d) != row(theirs, d)), 4)
    return [f"yours    {row(mine, decimals)}{place}", f"expected {row(theirs, decimals)}"]


def _place(comparison: Comparison, index: tuple[int, ...]) -> str:
    named = zip(comparison.axes, index, strict=False)
    if len(comparison.axes) < len(index):
        return f"row {', '.join(map(str, index))}"
    return ", ".join(f"{axis} {i}" for axis, i in named)
