"""Simple things that can have happened to a right answer."""

from __future__ import annotations

from token_journey.numbers import number
from token_journey.words.language import _

# What a factor is: a size of the model, its name there, and whether the root of it is meant.
Origin = tuple[int, str, bool]


def wrong_sign() -> str:
    return _("Every number has the wrong sign.")


def times_too_large(factor: float, origin: Origin | None) -> str:
    return _("Every number is {factor} times too large{origin}.").format(
        factor=number(factor), origin=_origin(origin)
    )


def times_too_small(factor: float, origin: Origin | None) -> str:
    return _("Every number is {factor} times too small{origin}.").format(
        factor=number(factor), origin=_origin(origin)
    )


def _origin(origin: Origin | None) -> str:
    if origin is None:
        return ""
    size, called, root = origin
    return _(": that is {factor}, and {size} is the {called}").format(
        factor=f"√{size}" if root else size, size=size, called=called
    )


def too_large(offset: float) -> str:
    return _("Every number is too large by the same {offset}.").format(offset=number(offset))


def too_small(offset: float) -> str:
    return _("Every number is too small by the same {offset}.").format(offset=number(offset))


def transposed() -> str:
    return _("The last two axes are exchanged: yours is the transpose.")


def permuted(axis: str, order: tuple[int, ...]) -> str:
    return _("The {axis}s are right but stand in the order {order}.").format(
        axis=axis, order=", ".join(map(str, order))
    )


def too_late(axis: str) -> str:
    return _("Along {axis} every number stands one place too late.").format(axis=axis)


def too_early(axis: str) -> str:
    return _("Along {axis} every number stands one place too early.").format(axis=axis)


def in_reverse(axis: str) -> str:
    return _("Along {axis} the order is reversed.").format(axis=axis)


def halves_exchanged() -> str:
    return _("The two halves of the last axis are exchanged.")


def interleaved() -> str:
    return _(
        "On the last axis the numbers of the two halves alternate: first, second, first, second, …"
    )


def rounded(dtype: str) -> str:
    return _("It is right up to the rounding of {dtype}: is something computed in {dtype}?").format(
        dtype=dtype
    )
