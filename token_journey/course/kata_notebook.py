"""kata.ipynb: the ten lessons as text, and below each the cells in which a stage is written."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from token_journey.course.course import VERSION, Course
from token_journey.course.lessons import lesson
from token_journey.course.stage import Stage
from token_journey.course.stubs import lesson_of, stub_of

ARROW = "  →  "  # between a call and the shape that comes out
WHEEL = f"token_journey-{VERSION}-py3-none-any.whl"

_WELCOME = """\
# A transformer, in ten stages

Each stage is a lesson, and below it a cell that begins with `%%stage` and the stage's name. Put
your own lines in the place of each `raise NotImplementedError` and run the cell: it is written to
a file in `exercises/` and judged, and what is right and what is wrong, and where, stands below it.

`%stage_hint` helps when you are stuck, `%journey` shows how all ten stages stand, and
`%walk "a sentence"` shows a model at work. Begin with the two cells below."""

_INSTALL = """\
# Once. {where}
from importlib.util import find_spec

if find_spec("token_journey") is None:
    %pip install --quiet "{kit}\""""
_WHEEL_HERE = f"Put the kit's wheel, {WHEEL}, beside this notebook first."

_END = """\
## All ten

When all ten stages are right, your functions are a language model."""


@dataclass(frozen=True)
class ShapesAsked:
    """Of each stage the calls whose shapes are predicted, and the stages that a walk shows."""

    calls: Mapping[Stage, Collection[str]]
    walked: Collection[Stage]


def kata(course: Course, asked: ShapesAsked, kit: str) -> str:
    """The notebook's JSON.

    kit: what pip is to install, such as `git+https://…`; the wheel beside the notebook if empty
    """
    cells = [
        {**about, "id": f"cell-{number}", "metadata": {}}
        for number, about in enumerate(_cells(course, asked, kit))
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook = {"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


def _cells(course: Course, asked: ShapesAsked, kit: str) -> Iterator[dict[str, Any]]:
    yield _text(_WELCOME)
    wanted = f"token-journey[show] @ {kit}" if kit else f"./{WHEEL}[show]"
    yield _code(_INSTALL.format(where="" if kit else _WHEEL_HERE, kit=wanted).replace(" \n", "\n"))
    yield _code("%load_ext token_journey\n%journey")
    for stage in course.stages():
        yield from _stage(course, stage, asked)
    yield _text(_END)
    yield _code("%journey")


def _stage(course: Course, stage: Stage, asked: ShapesAsked) -> Iterator[dict[str, Any]]:
    yield _text(in_markdown(lesson(course, stage)))
    if calls := asked.calls[stage]:
        shapes = "\n".join(f"{call}{ARROW}?" for call in calls)
        yield _text("Before you write: put a shape, as `5 2048`, in the place of each `?`.")
        yield _code(f"%%stage_shapes {stage.title}\n{shapes}")
    stub = stub_of(stage, course.reference)
    yield _code(f"%%stage {stage.title}\n{stub[len(lesson_of(stub)) :].strip()}")
    if stage in asked.walked:
        yield _text("The same step in a whole model, with your numbers beside its own:")
        yield _code(f"%walk {stage.title}")


def _text(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": source.splitlines(keepends=True)}


def _code(source: str) -> dict[str, Any]:
    lines = source.splitlines(keepends=True)
    return {"cell_type": "code", "execution_count": None, "outputs": [], "source": lines}


# -- a lesson as Markdown -----------------------------------------------------------


def in_markdown(written: str) -> str:
    """A lesson, which is plain text: what stands in columns stays so, and nothing is emphasised."""
    title, _, rest = written.partition("\n")
    headed = re.sub(r"^(.+)\n-{3,}$", r"### \1\n", rest, flags=re.MULTILINE)
    blocks = re.split(r"\n\s*\n", headed.strip("\n"))
    return "\n\n".join([f"## {_plain(title)}", *_joined(map(_block, blocks))])


def _block(block: str) -> str:
    lines = block.split("\n")
    if all(line.startswith("    ") for line in lines):
        return f"```text\n{block}\n```"
    if lines[0].startswith(">>>"):
        return f"```python\n{block}\n```"
    if any(re.search(r"\S {3,}\S", line) for line in lines):
        columns = re.sub(r"`([^`]*)`( *)", r"\1\2  ", block)  # as wide as they were
        return f"```text\n{columns}\n```"
    return block if block.startswith("### ") else _plain(block)


def _joined(blocks: Iterator[str]) -> Iterator[str]:
    """Fenced blocks that follow each other are one."""
    last = ""
    for block in blocks:
        fence = next((f for f in ("```text\n", "```python\n") if block.startswith(f)), "")
        if fence and last.startswith(fence):
            last = f"{last.removesuffix('```')}\n{block.removeprefix(fence)}"
            continue
        if last:
            yield last
        last = block
    yield last


def _plain(text: str) -> str:
    """Without what Markdown would take for its own, outside of `code`."""
    return re.sub(r"(`[^`]*`)|([*_<$\\|])", lambda m: m[1] or f"\\{m[2]}", text)
