"""Predict the shapes of a stage before it is written, by the annotations of the lesson."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod

from token_journey.course.course import Course
from token_journey.course.stage import Stage
from token_journey.course.stubs import Function, functions
from token_journey.llama.shapes import AXES, axis_sizes
from token_journey.packs.manifest import PUBLISHED, read_manifest

_MODELS = (("Aitana-2B-S", PUBLISHED), ("SmolLM2-135M", "smollm2-135m"))
# Plain numbers that a function gets, and the letter that they stand for.
_COUNTS = {
    "n_queries": "Q", "n_keys": "T", "n_heads": "H", "n_kv_heads": "K", "n_groups": "G",
    "head_dim": "d", "max_new_tokens": "N",
}  # fmt: skip

Axes = tuple[str, ...]
_ANY = ("...",)


@dataclass(frozen=True)
class Prediction:
    """One call of a function: what goes in, and the axes of what comes out."""

    model: str
    function: str
    inputs: Mapping[str, Axes]
    counts: Mapping[str, str]
    output: Axes
    sizes: Mapping[str, int]

    @property
    def answer(self) -> tuple[int, ...]:
        return self._shape(self.output)

    @property
    def text(self) -> str:
        given = [f"{name} {_written(self._shape(axes))}" for name, axes in self.inputs.items()]
        given += [f"{name} = {self.sizes[letter]}" for name, letter in self.counts.items()]
        return f"{self.model}   {self.function}({', '.join(given)})"

    def judge(self, typed: str) -> tuple[bool, str]:
        """Whether a typed shape is right, and what to say of it."""
        shape = tuple(map(int, re.findall(r"\d+", typed)))
        named = f"{_written(self.answer)}, that is ({', '.join(self.output)})"
        if shape == self.answer:
            return True, f"Right: {named}."
        if len(shape) != len(self.answer):
            axes = "1 axis" if len(self.answer) == 1 else f"{len(self.answer)} axes"
            return False, f"It has {axes}: {named}. {self._of(0) if self.output else ''}".rstrip()
        wrong = next(i for i, size in enumerate(self.answer) if shape[i] != size)
        return False, f"It is {named}. {self._of(wrong)}"

    def _of(self, axis: int) -> str:
        letters = self.output[axis]
        what = AXES.get(letters, "")
        said = f"Axis {axis + 1} is {letters}{f', {what}' if what else ''}: {self.answer[axis]}."
        return f"{said} {self._origin(letters)}".rstrip()

    def _origin(self, letters: str) -> str:
        """Where the size of an axis comes from."""
        for name, axes in self.inputs.items():
            if letters in axes:
                return f"In `{name}` it is axis {axes.index(letters) + 1}."
        for name, letter in self.counts.items():
            if letter == letters:
                return f"It is `{name}`."
        for name, axes in self.inputs.items():
            for place, both in enumerate(axes):
                if letters in re.findall(r"\w", both):
                    return f"`{name}` has it in its axis {place + 1}: {self._product(both)}."
        return f"It is {self._product(letters)}." if len(letters) > 1 else self._grown(letters)

    def _grown(self, letter: str) -> str:
        if letter == "H":
            return f"Each of K = {self.sizes['K']} heads stands for G = {self.sizes['G']}: H = K·G."
        return f"The {self.sizes['Q']} new tokens stand behind the earlier ones." * (letter == "T")

    def _product(self, letters: str) -> str:
        numbers = re.sub(r"[A-Za-z]", lambda found: str(self.sizes[found[0]]), letters)
        return f"{letters} = {numbers}".replace("*", "·")

    def _shape(self, axes: Axes) -> tuple[int, ...]:
        return tuple(_size(letters, self.sizes) for letters in axes)


def _size(letters: str, sizes: Mapping[str, int]) -> int:
    """Of an axis such as `H*d`, `d/2` or `T+N`."""
    if "+" in letters:
        return sum(sizes[letter] for letter in letters.split("+"))
    if letters.endswith("/2"):
        return sizes[letters[0]] // 2
    return prod(sizes[letter] for letter in letters.split("*"))


def _written(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def questions(course: Course, stage: Stage) -> Iterator[Prediction]:
    """Each function of a stage, with the sizes of both models; none where no tensor comes out."""
    source = (course.reference / stage.file).read_text(encoding="utf-8")
    for function in functions(ast.parse(source)):
        given = function.args.args
        found = {each.arg: axes for each in given if (axes := _axes(each.annotation))}
        output = _axes(function.returns)
        if output in (None, _ANY) and _ANY in found.values():  # any shape, and the same again
            continue
        if output is None:
            continue
        front = () if {"T", "Q"} & {*output, *sum(found.values(), ())} else ("T",)
        inputs = {name: _placed(axes, front) for name, axes in found.items()}
        counts = {each.arg: _COUNTS[each.arg] for each in given if each.arg in _COUNTS}
        for title, folder in _MODELS:
            config = read_manifest(course.packs / folder).config
            sizes = axis_sizes(config, tokens=5, new=_new(function))
            shape = _placed(output, front)
            yield Prediction(title, function.name, inputs, counts, shape, sizes)


def _new(function: Function) -> int:
    """With earlier tokens in a cache there are fewer queries than keys."""
    returned = ast.unparse(function.returns) if function.returns else ""
    return 2 if "Q" in ast.unparse(function.args) + returned else 5


def _axes(annotation: ast.expr | None) -> Axes | None:
    """`Float[Tensor, "... T d"]`: its axes; of several tensors those of the first."""
    if not isinstance(annotation, ast.Subscript):
        return None
    inside = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else []
    if ast.unparse(annotation.value) == "tuple":
        return _axes(inside[0])
    if ast.unparse(annotation.value) in ("Float", "Int", "Bool"):
        return tuple(str(ast.literal_eval(inside[1])).split())
    return None


def _placed(axes: Axes, front: Axes) -> Axes:
    """With these in the place of any axes in front."""
    return (*front, *axes[1:]) if axes[:1] == _ANY else axes


def quiz(
    asked: Iterable[Prediction], ask: Callable[[str], str], say: Callable[[str], object]
) -> None:
    """Ask until there is nothing more to ask, or nothing is typed."""
    right = told = 0
    for question in asked:
        say(f"\n{question.text}")
        typed = ask("Which shape comes out? ")
        if not re.search(r"\d|\(\)", typed):
            break
        holds, said = question.judge(typed)
        right, told = right + holds, told + 1
        say(said)
    say(f"\n{right} of {told} right." if told else "\nNothing was typed.")
