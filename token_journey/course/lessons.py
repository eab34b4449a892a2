"""What the course says to a learner: the one door to lessons, promises and mistakes' texts.

Each is written where its code is: a lesson on top of its solution, a promise below its
check's name, the texts of a misconception above its function. Who shows one asks here, where
another language can take its place.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from token_journey.course.course import Course
from token_journey.course.misconceptions import Misconception
from token_journey.course.stage import Stage
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
