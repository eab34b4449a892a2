"""The table at the end of a run, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from token_journey.words.language import _


def not_here() -> str:
    return _("not here")


def done() -> str:
    return _("done")


def untouched() -> str:
    return _("to do")


def some_to_do(count: int) -> str:
    return _("{count} to do").format(count=count)


def checks_fail(count: int, to_do: int) -> str:
    said = _("1 check fails") if count == 1 else _("{count} checks fail").format(count=count)
    return f"{said}, {some_to_do(to_do)}" if to_do else said


def waits_for(stages: Sequence[int]) -> str:
    """A right stage; stages: those before it that are not"""
    if len(stages) == 1:
        return _("right; it works once stage {number} is right, too").format(number=stages[0])
    numbers = _("{several} and {last}").format(
        several=", ".join(map(str, stages[:-1])), last=stages[-1]
    )
    return _("right; it works once stages {numbers} are right, too").format(numbers=numbers)


def not_on_this_pack(count: int) -> str:
    return _("; {count} not on this pack").format(count=count)


def checks_hold(passed: int, total: int) -> str:
    return _("{passed} of {total} checks hold.").format(passed=passed, total=total)


def all_right() -> str:
    return _("All that was asked for is right.")


def next_is(wrong: bool, number: int, where: str, command: str) -> str:
    """wrong: whether something in it is, and not only missing"""
    said = (
        _("Next: correct stage {number}, {where}, then `{command}`.")
        if wrong
        else _("Next: write stage {number}, {where}, then `{command}`.")
    )
    return said.format(number=number, where=where, command=command)


def cell(title: str, notebook: str) -> str:
    return _("`%%stage {title}` in {notebook}").format(title=title, notebook=notebook)


def next_after(number: int, file: str) -> str:
    return _("Next: stage {number}, {file}.").format(number=number, file=file)


def at_work(path: str, pytest: str) -> str:
    return _(
        "See your stages at work: `{pytest} {path} --chained`, and `token-journey show --impl "
        "{path}`."
    ).format(path=path, pytest=pytest)


def absent(count: int, why: str) -> str:
    checks = _("1 check is") if count == 1 else _("{count} checks are").format(count=count)
    return _("{checks} {why}.").format(checks=checks, why=why)


def leaves_behind(file: str, left: Sequence[str]) -> str:
    return _(
        "{file} leaves {left} behind, which may change what is graded after it: grade several "
        "folders with --isolated."
    ).format(file=file, left=_(" and ").join(left))


def no_reference(folder: str) -> str:
    return _(
        "There is no {folder}: no mistake is called by its name, and a wrong stage makes later "
        "ones fail, too."
    ).format(folder=folder)


def names_fit_nothing(count: int) -> str:
    return _(
        "No check was run: {count} are here, and what you asked for fits none of their names. "
        "`--collect-only -q` lists them."
    ).format(count=count)
