"""What a stage file says of its functions' parameters, read as text."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from token_journey.course.stubs import functions


@cache
def parameters(file: Path) -> dict[str, dict[str, str]]:
    """The parameters of each function of a stage file, and how their axes are named, as `… T D`.

    The names are those of the annotations, such as `Float[Tensor, "... T D"]`; "" without one.
    """
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return {}
    return {function.name: _parameters_of(function.args) for function in functions(tree)}


def _parameters_of(arguments: ast.arguments) -> dict[str, str]:
    return {
        argument.arg: _axes(argument.annotation)
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    }


def _axes(annotation: ast.expr | None) -> str:
    written = "" if annotation is None else ast.unparse(annotation)
    found = re.fullmatch(r"\w+\[Tensor, '(.*)'\]", written)
    return ", ".join(found[1].replace("...", "…").split()) if found else ""
