"""What the course says to a learner: the one door to lessons, promises and mistakes' texts.

Each is written where its code is: a lesson on top of its solution, a promise below its
check's name, the texts of a misconception above its function. Who shows one asks here, where
another language can take its place.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from token_journey.course.course import Course
from token_journey.course.implementation import Implementation
from token_journey.course.misconceptions import Misconception, rewrites_in
from token_journey.course.stage import Stage
from token_journey.course.stubs import functions
from token_journey.words.language import _


@dataclass(frozen=True)
class Mistake:
    """A misconception's texts: what it is called, what goes wrong, where to look again."""

    name: str
    does: str
    read: str


def lesson(course: Course, stage: Stage) -> str:
    """A stage's lesson, as it stands on top of its solution."""
    source = (course.reference / f"{stage.name}.py").read_text(encoding="utf-8")
    return _(ast.get_docstring(ast.parse(source)) or "")


def promise_of(check: Callable[..., Any]) -> str:
    """The sentence that a check stands for: the first line below its name, or that name."""
    return _((check.__doc__ or check.__name__).partition("\n")[0])


def texts_of(misconception: Misconception) -> Mistake:
    return Mistake(_(misconception.name), _(misconception.does), _(misconception.read))


def mistakes(course: Course, stage: Stage) -> dict[str, Mistake]:
    """A stage's known mistakes, by name."""
    bank = Implementation(course.checks / "misconceptions")
    try:
        found = rewrites_in(bank.module(stage.name))
    finally:
        bank.unload()
    texts = [texts_of(each) for each in found if isinstance(each, Misconception)]
    return {mistake.name: mistake for mistake in texts}


def paragraph(course: Course, stage: Stage, mistake: Mistake) -> str:
    """The paragraph of a lesson that shares most rare words with a mistake's texts.

    It may stand in the lesson or in the text of a function. Empty where no word is shared.
    """
    found = _paragraphs(course, stage)
    wanted = _words(f"{mistake.name} {mistake.does} {mistake.read}")
    often = Counter(word for each in found for word in _words(each))

    def fits(each: str) -> float:
        shared = wanted & _words(each)
        return sum(1 / often[word] for word in shared) / (8 + len(_words(each)))

    best = max(found, key=fits, default="")
    return best if best and fits(best) else ""


@cache
def _paragraphs(course: Course, stage: Stage) -> tuple[str, ...]:
    tree = ast.parse((course.reference / stage.file).read_text(encoding="utf-8"))
    written = [ast.get_docstring(n) for n in (tree, *functions(tree))]
    texts = re.split(r"\n\s*\n", "\n\n".join(filter(None, written)))
    return tuple(_(text) for text in texts if len(text.split()) > 5)


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W_]{3,}|[γεθ√]", text.casefold()))
