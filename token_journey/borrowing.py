"""Was it written, or borrowed? Which library functions a call ends in, wherever it hides.

A stage is about writing the thing itself. torch's own profiler sees a borrowed
answer whether it is called as `F.rms_norm`, inside a module, or as
`torch.ops.aten.rms_norm`, for it records the operators that are run.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch.autograd import profiler

# Libraries that hold whole answers, not the tools to write one.
_ANSWERS = {
    *("transformers", "tokenizers", "tiktoken", "sentencepiece", "x_transformers"),
    *("xformers", "flash_attn", "fairscale", "litgpt", "vllm", "keras", "tensorflow"),
    *("solutions", "token_journey"),
}


def functions_called(call: Callable[[], Any]) -> set[str]:
    """The names of all operators that a call ends in, `softmax` or `rms_norm`."""
    with profiler.profile(use_kineto=False) as profiled:
        call()
    operators = {event.name.removeprefix("aten::") for event in profiled.function_events}
    # `_softmax` is the kernel behind `softmax`, `silu_` the one that works in place.
    return {name.strip("_") for name in operators}


def answers_imported(file: Path) -> set[str]:
    """The libraries that hold whole answers and that a stage file names.

    Reads the text, so that an import inside a function, or one by
    `importlib.import_module("…")`, is seen too.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Call):
            strings = (a.value for a in node.args if isinstance(a, ast.Constant))
            found |= {s.partition(".")[0].strip("/") for s in strings if isinstance(s, str)}
    return found & _ANSWERS
