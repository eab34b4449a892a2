"""What a failed check tells a learner, around what was found."""

from __future__ import annotations

from token_journey.words.language import _


def to_do() -> str:
    return _("to do")


def checked(promise: str) -> str:
    return _("Checked: {promise}").format(promise=promise)


def compared(where: str, what: str) -> str:
    return _("{where}: {what}").format(where=where, what=what) if where else what


def not_run_after_a_loop(file: str) -> str:
    return _(
        "Not run: earlier checks of {file} did not end. Look for a loop that never stops."
    ).format(file=file)


def not_run_after_a_wait(file: str) -> str:
    return _("Not run: earlier checks of {file} did not end. Look for what they wait for.").format(
        file=file
    )


def kept_state() -> str:
    return _(
        "The same check holds when your files are loaded again for each call: something is "
        "kept between calls. Look for values outside the functions or in the body of a class, "
        "and for a list or dict as a default; and for what decides when they are used again."
    )


def pack_is_wrong(pack: str) -> str:
    return _(
        "The course's own stage fails this check, too: the pack {pack} is wrong, not your "
        "code. Grade without it, or make it again."
    ).format(pack=pack)


def check_is_wrong() -> str:
    return _(
        "The course's own stage fails this check, too: the check is wrong, not your code. "
        "Bring the course back as it was, or tell its author."
    )


def broken_check(kind: str) -> str:
    return _("The check itself broke ({kind}), on numbers that are held back.").format(kind=kind)


def unusable(file: str, kind: str, message: str | None) -> str:
    """What a check could not do with what a stage gave it; its line comes below."""
    said = f"{kind}: {message}" if message else kind
    return _("The check can't use what your {file} gives it: {said}").format(file=file, said=said)


def did_not_end() -> str:
    return _("It did not end in time.")


def endless_loop(place: str) -> str:
    return _("It did not end in time and was stopped at {place}: a loop that never stops?").format(
        place=place
    )


def endless_wait(place: str) -> str:
    return _(
        "It did not end in time and was stopped at {place}; it computed almost nothing. Does it "
        "wait for input(), sleep() or another thread?"
    ).format(place=place)


def in_function(file: str, line: int | None, function: str) -> str:
    return _("{file}:{line}, in {function}").format(file=file, line=line, function=function)


def ended_the_program(place: str) -> str:
    return _("Your code ended the program at {place}: leave out exit().").format(place=place)


def raised(kind: str, place: str, message: str | None, missing: str | None) -> str:
    """What an error is, where it was raised, and how it may be corrected.

    message: the error's own, None where it has none that can be shown
    missing: a library to import, for a name that everybody expects to be there
    """
    kind = kind or _("An error without a name")
    if message is None:
        message = _("(its message can't be shown)")
    said = f": {message}" if message else ""
    hint = (
        _(": write `import {missing}` above your functions").format(missing=missing)
        if missing
        else ""
    )
    return _("{kind} at {place}{said}{hint}").format(kind=kind, place=place, said=said, hint=hint)
