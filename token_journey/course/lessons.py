"""What the course says to a learner: the one door to lessons, promises, mistakes' texts and hints.

Each is written where its code is: a lesson on top of its solution, a promise below its
check's name, the texts of a misconception above its function; and hints beside the checks. Who
shows one asks here, where another language can take its place.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from token_journey.course.course import Course
from token_journey.course.stage import Stage
from token_journey.course.stubs import functions
from token_journey.words.language import _

if TYPE_CHECKING:
    from token_journey.course.misconceptions import Misconception


@dataclass(frozen=True)
class Mistake:
    """A misconception's texts: what it is called, what goes wrong, where to look again."""

    function: str
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
    return _mistake(
        misconception.function, misconception.name, misconception.does, misconception.read
    )


def mistakes(course: Course, stage: Stage) -> dict[str, Mistake]:
    """A stage's known mistakes, by name. Their file is read, and nothing of it is run."""
    file = course.checks / "misconceptions" / f"{stage.name}.py"
    tree = ast.parse(file.read_text(encoding="utf-8"))
    short = {ast.unparse(n.targets[0]): n.value for n in tree.body if isinstance(n, ast.Assign)}
    marks = [mark for node in tree.body for mark in getattr(node, "decorator_list", ())]
    found = {}
    for mark in marks:
        if ast.unparse(mark.func) == "misconception":
            said = (*mark.args, mark.keywords[0].value)
            texts = [ast.literal_eval(short.get(ast.unparse(text), text)) for text in said]
            found[texts[1]] = _mistake(*texts)
    return found


def _mistake(function: str, name: str, does: str, read: str) -> Mistake:
    return Mistake(function, _(name), _(does), _(read))


def paragraph(course: Course, stage: Stage, mistake: Mistake) -> str:
    """The paragraph of a stage's lessons that shares most rare words with a mistake's texts.

    Where it says to read the formula again, that is the formula. Empty where no word is shared.
    """
    found = _paragraphs(course, stage)
    if "formula" in mistake.read:
        found = [each for each in found if each[0] == "Formula"] or found
    texts = [text for _heading, text in found]
    often = Counter(word for text in texts for word in _words(text))
    read, wrong = _words(mistake.read), _words(f"{mistake.name} {mistake.does}")

    def fits(text: str) -> float:
        words = _words(text)
        shared = sum((2 * (word in read) + (word in wrong)) / often[word] for word in words)
        return float(shared / (10 + len(words)) ** 0.8)

    best = max(texts, key=fits, default="")
    return best if best and fits(best) else ""


@cache
def _paragraphs(course: Course, stage: Stage) -> list[tuple[str, str]]:
    """Of a lesson and of its functions, each with the heading that it stands under."""
    tree = ast.parse((course.reference / stage.file).read_text(encoding="utf-8"))
    found: list[tuple[str, str]] = []
    for written in filter(None, map(ast.get_docstring, (tree, *functions(tree)))):
        heading, leads_on = "", False
        for block in re.split(r"\n\s*\n|\n(?=- )", _(written)):
            if titled := re.match(r"(.+)\n-{3,}\n?", block):
                heading, block, leads_on = titled[1], block[titled.end() :], False
            if leads_on or (heading == "Formula" and found and found[-1][0] == heading):
                found[-1] = heading, f"{found[-1][1]}\n\n{block}"
            elif len(block.split()) > 5 and ">>>" not in block:
                found.append((heading, block.removeprefix("- ")))
            leads_on = bool(found) and block.endswith(":")
    return found


def _words(text: str) -> set[str]:
    words = re.findall(r"[^\W_]{3,}|[γεθ√]", text.casefold().replace("eps", "ε"))
    return {word.removesuffix("s") for word in words}


def hints(course: Course, stage: Stage) -> dict[str, Hints]:
    """By function, in the order of the lesson; a method is `KeyValueCache.update`."""
    file = course.checks / "hints" / f"{stage.name}.toml"
    return {
        function: Hints(**{step: _(text.strip("\n")) for step, text in steps.items()})
        for function, steps in tomllib.loads(file.read_text(encoding="utf-8")).items()
    }
