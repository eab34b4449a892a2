"""The next hint for somebody who is stuck: of which function, and which of its three steps."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from token_journey.course.course import Course
from token_journey.course.lessons import Hints, hints, mistakes
from token_journey.course.stage import Stage
from token_journey.course.stubs import functions
from token_journey.errors import UserError
from token_journey.watch.progress import Progress

STEPS = ("a question", "the formula", "the steps in words")


@dataclass(frozen=True)
class Hint:
    """What to show, and the lines around it."""

    title: str
    text: str
    after: str


def next_hint(course: Course, stage: Stage, progress: Progress, asked: str = "") -> Hint:
    """Open the next hint of a stage and remember it; of the function `asked` for, if one is.

    Raises UserError for a function that the stage has not.
    """
    known = hints(course, stage)
    if asked and asked not in known:
        raise UserError(f"Stage {stage.number} has no {asked!r}: choose {' or '.join(known)}.")
    opened = progress.hints.setdefault(stage.name, {})
    mistake = _mistake(course, stage, progress)
    if mistake and not asked and mistake.title not in opened:
        opened[mistake.title] = 1
        progress.write()
        return mistake
    function = asked or _stuck_at(course, stage, progress, known)
    step = min(opened.get(function, 0) + 1, len(STEPS))
    opened[function] = step
    progress.write()
    return _hint(known, function, step)


def _hint(known: dict[str, Hints], function: str, step: int) -> Hint:
    after = (
        f"Still stuck? Ask again: next comes {STEPS[step]}."
        if step < len(STEPS)
        else (
            f"That was the last hint for `{function}`. The lesson's “By hand” has numbers to try."
        )
    )
    title = f"Hint {step} of {len(STEPS)} for `{function}`: {STEPS[step - 1]}"
    return Hint(title, known[function].steps[step - 1], after)


def _mistake(course: Course, stage: Stage, progress: Progress) -> Hint | None:
    """About the mistake that the last failure was named after."""
    stand = progress.stands.get(stage.name)
    mistake = mistakes(course, stage).get(stand.mistake) if stand and stand.mistake else None
    if mistake is None:
        return None
    text = (
        f"In `{mistake.function}`: {mistake.does}.\n"
        "Which of your lines does that? Say in your own words what\n"
        "that line computes, and what the lesson's formula has there."
    )
    title = f"A hint about your mistake: {mistake.name}"
    return Hint(title, text, f"Still stuck? Ask again: next come hints for `{mistake.function}`.")


def _stuck_at(course: Course, stage: Stage, progress: Progress, known: dict[str, Hints]) -> str:
    """The function that is wrong, as far as is known; else the first that is not written."""
    stand = progress.stands.get(stage.name)
    if stand and stand.mistake and (found := mistakes(course, stage).get(stand.mistake)):
        return found.function if found.function in known else next(iter(known))
    failed = stand.first[: stand.failed] if stand else []
    if suspects := _suspects(course.check_file(stage), failed, known):
        return suspects[0]
    unwritten = set(_unwritten(progress.folder / stage.file))
    opened = progress.hints.get(stage.name, {})
    waiting = [n for n in known if n in unwritten] or [n for n in known if opened.get(n, 0) < 3]
    return next(iter(waiting or known))


def _suspects(file: Path, failed: Collection[str], known: Iterable[str]) -> list[str]:
    """The functions that failed checks call; where some call one alone, those."""
    names = {check.partition("[")[0] for check in failed}
    tree = ast.parse(file.read_text(encoding="utf-8"))
    written = {function.name: function for function in functions(tree)}
    called = [set(_called_by(name, written)) for name in names & written.keys()]
    blamed = set().union(*([one for one in called if len(one) == 1] or called))
    return [name for name in known if name.split(".")[0] in blamed]


def _called_by(name: str, written: Mapping[str, ast.AST]) -> Iterator[str]:
    """What a check asks of a stage, itself or through other functions of its file."""
    seen, to_read = {name}, [name]
    while to_read:
        for node in ast.walk(written[to_read.pop()]):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "stage":
                yield node.attr
            elif isinstance(node, ast.Name) and node.id in written.keys() - seen:
                seen.add(node.id)
                to_read.append(node.id)


def _unwritten(file: Path) -> Iterator[str]:
    """The functions that are still stubs, methods with their class."""
    with suppress(OSError, SyntaxError, ValueError):
        tree = ast.parse(file.read_text("utf-8", "replace"))
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        for place, body in [("", tree.body), *((f"{c.name}.", c.body) for c in classes)]:
            for each in body:
                if isinstance(each, ast.FunctionDef) and "NotImplemented" in ast.unparse(each):
                    yield place + each.name
