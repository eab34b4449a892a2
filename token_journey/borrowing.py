"""Was it written, or borrowed? Which library functions a call ends in, wherever it hides.

A stage is about writing the thing itself. Two views together see a borrowed
answer: torch's function mode sees what Python calls (`F.rms_norm`, also inside
a module), its dispatch mode what the C++ side runs (`torch.ops.aten.silu`).
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

# Libraries that hold whole answers, not the tools to write one.
_ANSWERS = {
    *("transformers", "tokenizers", "tiktoken", "sentencepiece", "x_transformers"),
    *("xformers", "flash_attn", "fairscale", "litgpt", "vllm", "keras", "tensorflow"),
    *("solutions", "token_journey"),
}


class _Seen(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.add(getattr(func, "__name__", ""))
        return func(*args, **(kwargs or {}))


class _Dispatched(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.add(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


def functions_called(call: Callable[[], Any]) -> set[str]:
    """The names of all torch functions and operators that a call ends in."""
    with _Seen() as seen, _Dispatched() as dispatched:
        call()
    # `_softmax` is the operator behind `softmax`, `silu_` the one that works in place.
    return {name.strip("_") for name in seen.names | dispatched.names}


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
