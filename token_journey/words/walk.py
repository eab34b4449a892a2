"""What a walk through all stages found, and what a pack has no numbers for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from token_journey.words.language import _


def through(text: str, model: str) -> str:
    return _("{text} through {model}:").format(text=text, model=model)


def still_to_do(stages: Sequence[int]) -> str:
    return _("Still to do, so the reference stands in: stage {numbers}.").format(
        numbers=", ".join(map(str, stages))
    )


def all_are_the_model_s(count: int, first: str, last: str) -> str:
    return _("All {count} captured names, {first} … {last}, are the model's.").format(
        count=count, first=first, last=last
    )


def are_the_model_s(first: str, last: str) -> str:
    return _("{first} … {last} are the model's.").format(first=first, last=last)


def comes_from(leaving: str, allowed: str | None, number: int, file: str) -> str:
    """leaving: what is not the model's; allowed: how far it may lie from it, where that counts"""
    may = _(" ({size} is allowed)").format(size=allowed) if allowed else ""
    return _("{leaving}{may}. It comes from stage {number}, {file}.").format(
        leaving=leaving, may=may, number=number, file=file
    )


def next_of_model(guesses: str) -> str:
    return _("Next token, the model:  {guesses}").format(guesses=guesses)


def next_of_walk(guesses: str) -> str:
    return _("Next token, your walk:  {guesses}").format(guesses=guesses)


def not_on(pack: str, reasons: Sequence[str]) -> str:
    why = _(", and ").join(reasons) or _("does not hold all of a model")
    return _("not on {pack}: it {why}").format(pack=pack, why=why)


def is_a_slice() -> str:
    return _("holds a slice of each layer")


def has_some_layers(held: int, layers: int) -> str:
    return _("holds {held} of {layers} layers").format(held=held, layers=layers)


def goes_beyond(parts: Iterable[str]) -> str:
    return _("has {parts}, which the stages don't know").format(parts=_(" and ").join(parts))
