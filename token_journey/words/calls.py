"""What is wrong with a function of the learner's, or with how it is called, before any number."""

from __future__ import annotations

from token_journey.words.language import _


def has_no(file: str, name: str) -> str:
    return _(
        "{file} has no `{name}`: the checks find your work by the lesson's names and parameters."
    ).format(file=file, name=name)


def no_function(file: str, name: str) -> str:
    return _("`{name}` in {file} is not a function.").format(file=file, name=name)


def raised(name: str, said: str) -> str:
    return _("`{name}` raised {said}").format(name=name, said=said)


def returned_none(name: str) -> str:
    return _("`{name}` returned None: is a `return` missing?").format(name=name)


def changed_its_input(name: str) -> str:
    return _(
        "`{name}` changed its input: leave that as it is. `x += y` and `x[i] = y` change x; "
        "`x = x + y` and `x.clone()` give a new tensor."
    ).format(name=name)


def other_parameters(name: str, called: int, by_name: tuple[str, ...], mine: str) -> str:
    """called: how many values are given by their place; mine: the learner's parameters"""
    values = _("1 value") if called == 1 else _("{count} values").format(count=called)
    also = _(" and {names}").format(names=", ".join(f"{n}=…" for n in by_name)) if by_name else ""
    return _(
        "`{name}` is called with {values}{also}, but yours takes ({mine}): keep the parameters of "
        "the lesson."
    ).format(name=name, values=values, also=also, mine=mine)


# -- files that Python can't run -----------------------------------------------------


def unreadable(place: str, why: str, line: str) -> str:
    return _("Python can't read {place}: {why}.\n    {line}").format(
        place=place, why=why, line=line
    )


def not_utf_8(file: str) -> str:
    return _("{file} is not UTF-8 text: save it as UTF-8.").format(file=file)


def null_bytes(file: str) -> str:
    return _("{file} is not UTF-8 text, for it holds null bytes: save it as UTF-8.").format(
        file=file
    )


def import_did_not_end(place: str, waited: bool, line: str) -> str:
    why = _("does it wait for something?") if waited else _("a loop that never stops?")
    return _("{place} did not end in time while it was imported: {why}{line}").format(
        place=place, why=why, line=line
    )


def not_imported(place: str, kind: str, message: str | None, line: str) -> str:
    said = f": {message}" if message else ""
    return _("{place} could not be imported: {kind}{said}.{line}").format(
        place=place, kind=kind, said=said, line=line
    )


# -- what is expected of a result ---------------------------------------------------


def answer_imported(file: str, libraries: str) -> str:
    return _(
        "{file} uses {libraries}, where the answer is already written: this stage is about "
        "writing it yourself."
    ).format(file=file, libraries=libraries)


def answer_borrowed(name: str) -> str:
    return _(
        "Your numbers come from torch's own `{name}`: they are right, but this stage is about "
        "writing it yourself."
    ).format(name=name)


def no_numbers(what: str) -> str:
    return _("{what} is on device meta, where tensors have no numbers.").format(what=what)


def other_count(names: tuple[str, ...], kind: str | None) -> str:
    """kind: the type of what was returned, None for None itself"""
    yours = "None" if kind is None else _("one {kind}").format(kind=kind)
    return _("Return {count} values, ({names}); yours is {yours}.").format(
        count=len(names), names=", ".join(names), yours=yours
    )
