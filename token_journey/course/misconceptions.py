"""Wrong ways to write a stage, each with a name.

`misconceptions/<stage>.py` beside the checks holds them as plain functions:

    @misconception(
        "rms_norm",
        "eps is added outside the root",
        "the root is taken of the mean square alone, and eps is added after it",
        read="the formula: what stands under the root?",
    )
    def eps_outside_the_root(x, weight, eps):
        return weight * x / (x.square().mean(-1, keepdim=True).sqrt() + eps)

Each takes the place of the function it names in the reference's stage and sees
the other names of that file. They serve twice: to name a learner's mistake,
and to prove that the checks let none of them through.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from token_journey.course.implementation import Implementation


# What rewrites may be written with, besides what the stage file imports itself.
_TOOLS = """
import math
import torch
from torch.nn import functional as F
from einops import einsum, rearrange, reduce, repeat
"""


@dataclass(frozen=True)
class Rewrite:
    """Another way to write one function (or class) of a stage, right or wrong.

    `source` is Python text to be run at the end of the stage file.
    """

    function: str
    name: str
    source: str


@dataclass(frozen=True)
class Misconception(Rewrite):
    """A wrong way that people really write.

    `name` fits into "It looks as if …", `does` says in one sentence what goes
    wrong, `read` where to look again.
    """

    does: str
    read: str


def rewrite(function: str, name: str) -> Callable[[Any], Rewrite]:
    """Make what stands below it another, right way to write `function`."""
    return lambda other: Rewrite(function, name, _source(other, function))


def misconception(function: str, name: str, does: str, *, read: str) -> Callable[[Any], Rewrite]:
    """Make what stands below it a wrong way to write `function`."""
    return lambda wrong: Misconception(function, name, _source(wrong, function), does, read)


def _source(written: Any, function: str) -> str:
    """The definition without its decorators, put in the place of `function`."""
    file = Path(sys.modules[written.__module__].__file__ or "")
    definitions = _definitions(file, file.stat().st_mtime_ns)
    return f"{_TOOLS}\n\n{definitions[written.__name__]}\n\n{function} = {written.__name__}\n"


@cache
def _definitions(file: Path, changed: int) -> dict[str, str]:
    """Every function and class of a file, by name. (`inspect.getsource` reads it for each.)"""
    text = file.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    return {
        node.name: "".join(lines[node.lineno - 1 : node.end_lineno])
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }


def rewrites_in(module: ModuleType) -> list[Rewrite]:
    return [value for value in vars(module).values() if isinstance(value, Rewrite)]


def rewritten(reference: Implementation, stage: str, *rewrites: Rewrite) -> ModuleType:
    """A fresh copy of the reference's stage with these rewrites in it."""
    original = reference.module(stage)
    module = ModuleType(original.__name__)
    module.__dict__.update(__package__=original.__package__, __file__=original.__file__)
    assert original.__file__ is not None
    # Not by its own loader: what is named to pytest was read by one that rewrites assertions.
    code = SourceFileLoader(original.__name__, original.__file__).get_code(original.__name__)
    assert code is not None
    exec(code, module.__dict__)
    for change in rewrites:
        exec(_compiled(change), module.__dict__)
    return module


@cache
def _compiled(change: Rewrite) -> CodeType:
    return compile(change.source, f"<{change.name}>", "exec")
