"""Where two results differ."""

from __future__ import annotations

from token_journey.numbers import size
from token_journey.words.language import _

# Names of axes, and an index into each; fewer names than indices where axes have none.
Place = tuple[tuple[str, ...], tuple[int, ...]]


def yours(values: str, place: Place | None = None) -> str:
    return _("yours    {values}{place}").format(values=values, place=_at(place))


def expected(values: str) -> str:
    return _("expected {values}").format(values=values)


def yours_alone(values: str, place: Place | None) -> str:
    """Where what is expected is held back."""
    return _("yours{place}: {values}").format(values=values, place=_at(place))


def lengths(mine: int, theirs: int) -> str:
    return _("The length of yours is {mine}; it should be {theirs}.").format(
        mine=mine, theirs=theirs
    )


def parted(place: int) -> str:
    return _("The first difference is at index {place}.").format(place=place)


def some_wrong(count: int, total: int) -> str:
    return _("{count} of {total} are wrong.").format(count=count, total=total)


def some_off(count: int, total: int, worst: float, allowed: float) -> str:
    return _("{count} of {total} numbers differ, by up to {worst}; {allowed} is allowed.").format(
        count=count, total=total, worst=size(worst), allowed=size(allowed)
    )


def all_off(worst: float, allowed: float) -> str:
    return _("Every number differs, by up to {worst}; {allowed} is allowed.").format(
        worst=size(worst), allowed=size(allowed)
    )


def are_nan(count: int, total: int, first: Place) -> str:
    return _("{count} of {total} numbers are NaN, first at {place}.").format(
        count=count, total=total, place=_named(first)
    )


def where_nan_comes_from() -> str:
    return _(
        "Where it may come from: 0/0, 0 · ∞, ∞ − ∞ or a row in which everything is masked "
        "makes NaN."
    )


def are_infinite(count: int, total: int, first: Place) -> str:
    return _("{count} of {total} numbers are infinity, first at {place}.").format(
        count=count, total=total, place=_named(first)
    )


def where_infinity_comes_from() -> str:
    return _("Where it may come from: e^x of a large x overflows, and so does a division by 0.")


def should_be_impossible(first: Place, others: int) -> str:
    return _("{place} should be impossible (−∞) and kept a score{others}.").format(
        place=_capital(_named(first)), others=_more(others)
    )


def should_be_kept(first: Place, others: int) -> str:
    return _("{place} should have kept a score and was cut (−∞){others}.").format(
        place=_capital(_named(first)), others=_more(others)
    )


def is_nan(first: Place, others: int) -> str:
    return _("{place} is NaN: ∞ − ∞, 0 · ∞ or 0/0{others}.").format(
        place=_capital(_named(first)), others=_more(others)
    )


def future() -> str:
    return _("Only keys in the future of their query are wrong.")


def grows(axis: str) -> str:
    return _("The error grows from {axis} to {axis}.").format(axis=axis)


def first_half() -> str:
    return _("Only the first half of each head is wrong.")


def second_half() -> str:
    return _("Only the second half of each head is wrong.")


def many_places(count: int, total: int, axis: str, first: int) -> str:
    return _("{count} of {total} places along {axis} are wrong, from {first} on.").format(
        count=count, total=total, axis=axis, first=first
    )


def few_right(axis: str, right: tuple[int, ...]) -> str:
    return _("{which} right, every other {axis} is wrong.").format(
        which=_which(axis, right).capitalize(), axis=axis
    )


def first_of_many(axis: str, first: int, count: int, total: int) -> str:
    return _("{axis} {first} is the first that is wrong; {count} of {total} are.").format(
        axis=axis, first=first, count=count, total=total
    )


def few_wrong(axis: str, wrong: tuple[int, ...]) -> str:
    return _("Only {which} wrong.").format(which=_which(axis, wrong).lower())


def _which(axis: str, indices: tuple[int, ...]) -> str:
    if len(indices) == 1:
        return _("{axis} {index} is").format(axis=axis, index=indices[0])
    listed = _("{several} and {last}").format(
        several=", ".join(map(str, indices[:-1])), last=indices[-1]
    )
    several = f"{axis[:-1]}ies" if axis.endswith("ry") else f"{axis}s"
    return _("{several} {listed} are").format(several=several, listed=listed)


def _at(place: Place | None) -> str:
    return _(" at {place}").format(place=_named(place)) if place else ""


def _named(place: Place) -> str:
    axes, index = place
    if len(axes) < len(index):
        return _("row {indices}").format(indices=", ".join(map(str, index)))
    return ", ".join(f"{axis} {i}" for axis, i in zip(axes, index, strict=False))


def _more(others: int) -> str:
    return _(", and {others} more like it").format(others=others) if others else ""


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
