"""Which known mistake it is, and in which function."""

from __future__ import annotations

from token_journey.numbers import size
from token_journey.words.language import _


def looks_as_if(
    names: tuple[str, ...], does: tuple[str, ...], distances: tuple[float, float] | None
) -> str:
    """distances: how far the mistake's numbers and the right ones lie from the learner's"""
    return _("It looks as if {names}: {does}.{distances}").format(
        names=names_of(names), does="; ".join(does), distances=_distances(distances)
    )


def names_of(names: tuple[str, ...]) -> str:
    return _(", and ").join(names)


def _distances(distances: tuple[float, float] | None) -> str:
    if distances is None:
        return ""
    near, far = distances
    if not far:  # another dtype or shape, say
        return ""
    if not near:
        return _(" (It gives exactly your numbers; the right ones are up to {far} away.)").format(
            far=size(far)
        )
    return _(
        " (It gives your numbers to within {near}; the right ones are up to {far} away.)"
    ).format(near=size(near), far=size(far))


def something_else() -> str:
    return _("Something else is wrong, too.")


def read_again(where: tuple[str, ...]) -> str:
    read = "; ".join(where)
    return _("Read again: {read}").format(read=read) + ("" if read.endswith("?") else ".")


def many_fit(count: int) -> str:
    return _("{count} known mistakes all give just these numbers here.").format(count=count)


def several_fit(mistakes: tuple[tuple[str, ...], ...]) -> str:
    names = _("; or ").join(_(" and ").join(names) for names in mistakes)
    return _("These known mistakes all give just these numbers here: {names}.").format(names=names)


def none_fits() -> str:
    return _("No mistake known to this course gives just these numbers.")


def by_chance() -> str:
    return _(
        "The numbers differ when the same check is repeated: something is random, such as a "
        "dropout, or kept from before."
    )


def lies_in(function: str) -> str:
    return _(
        "The mistake lies in `{function}`: with another in its place this check holds."
    ).format(function=function)
