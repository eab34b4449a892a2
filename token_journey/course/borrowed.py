"""Was it written, or borrowed? Which library functions a call ends in, wherever it hides.

A stage is about writing the thing itself. torch's own profiler sees a borrowed
answer whether it is called as `F.rms_norm`, inside a module, or as
`torch.ops.aten.rms_norm`, for it records the operators that are run.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from torch.autograd import profiler

from token_journey.course.stage import Stage

# Libraries that hold whole answers, not the tools to write one.
_ANSWERS = {
    *("transformers", "tokenizers", "tiktoken", "sentencepiece", "x_transformers"),
    *("xformers", "flash_attn", "fairscale", "litgpt", "vllm", "keras", "tensorflow"),
    *("solutions", "token_journey"),
}


def functions_called(call: Callable[[], Any]) -> set[str]:
    """The names of all operators of torch's that a call ends in, `softmax` or `rms_norm`."""
    return operators(recorded(call)[1])


def recorded(call: Callable[[], Any]) -> tuple[Any, list[str]]:
    """What a call returns, and all that torch's profiler has a name for meanwhile."""
    with profiler.profile(use_kineto=False) as profiled:
        result = call()
    return result, [event.name for event in profiled.function_events]


def operators(names: Iterable[str]) -> set[str]:
    """Torch's own among the names that its profiler recorded."""
    # What is not torch's may be the learner's own: torch.jit.script records its functions by name.
    recorded = (name.partition("aten::") for name in names)
    # `_softmax` is the kernel behind `softmax`, `silu_` the one that works in place.
    return {name.strip("_") for before, torch_s, name in recorded if torch_s and not before}


def answers_imported(file: Path) -> set[str]:
    """The libraries that hold whole answers and that a stage file names, or a helper beside it.

    Reads the text, so that an import inside a function, or one by
    `importlib.import_module("…")`, is seen too. Other stages are read for themselves.
    """
    found: set[str] = set()
    read, to_read = set(), {file}
    while to_read:
        source = to_read.pop()
        read.add(source)
        named, beside = _names(source)
        found |= named
        helpers = {file.parent / f"{name}.py" for name in beside} - read
        to_read |= {h for h in helpers if h.is_file() and Stage.of_file(h) is None}
    return found & _ANSWERS


def _names(file: Path) -> tuple[set[str], set[str]]:
    """What a file names where an import stands, and which modules beside it."""
    found: set[str] = set()
    beside: set[str] = set()
    for node in ast.walk(ast.parse(file.read_bytes())):  # bytes say how they are encoded
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
        elif isinstance(node, ast.ImportFrom):
            names = [node.module] if node.module else [alias.name for alias in node.names]
            beside |= {name.partition(".")[0] for name in names}
        elif isinstance(node, ast.Call):
            strings = (a.value for a in node.args if isinstance(a, ast.Constant))
            found |= {s.partition(".")[0].strip("/") for s in strings if isinstance(s, str)}
    return found, beside
