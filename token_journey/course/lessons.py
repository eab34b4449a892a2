"""What the course says to a learner: the one door to lessons, promises, mistakes' texts and hints.

Each is written where its code is: a lesson on top of its solution, a promise below its
check's name, the texts of a misconception above its function; and hints beside the checks. Who
shows one asks here, where another language can take its place.
"""

from __future__ import annotations

import ast
import tomllib
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


@dataclass(frozen=True)
class Hints:
    """What helps with one function, in three steps, each telling more than the last."""

    question: str
    formula: str
    skeleton: str

    @property
    def steps(self) -> tuple[str, str, str]:
        return self.question, self.formula, self.skeleton


def lesson(course: Course, stage: Stage) -> str:
    """A stage's lesson, as it stands on top of its solution."""
    source = (course.reference / f"{stage.name}.py").read_text(encoding="utf-8")
    return _(ast.get_docstring(ast.parse(source)) or "")


def promise_of(check: Callable[..., Any]) -> str:
    """The sentence that a check stands for: the first line below its name, or that name."""
    return _((check.__doc__ or check.__name__).partition("\n")[0])


def texts_of(misconception: Misconception) -> Mistake:
    return Mistake(_(misconception.name), _(misconception.does), _(misconception.read))


def hints(course: Course, stage: Stage) -> dict[str, Hints]:
    """By function, in the order of the lesson; a method is `KeyValueCache.update`."""
    file = course.checks / "hints" / f"{stage.name}.toml"
    return {
        function: Hints(**{step: _(text.strip("\n")) for step, text in steps.items()})
        for function, steps in tomllib.loads(file.read_text(encoding="utf-8")).items()
    }


def mistaken(course: Course, stage: Stage, name: str) -> tuple[str, Mistake] | None:
    """The function that a named mistake is made in, and its texts; read, and nothing is run."""
    file = course.checks / "misconceptions" / f"{stage.name}.py"
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        said = [each.value for each in call.args if isinstance(each, ast.Constant)]
        if len(said) == 3 and said[1] == name:
            return str(said[0]), Mistake(_(name), _(str(said[2])), "")
    return None
