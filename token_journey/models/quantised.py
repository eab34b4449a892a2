"""Quantised weights, told by what config.json says or by what tensors are called.

Their numbers are packed in ways of each tool's own, so they are refused by its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from token_journey.errors import CheckpointError

_METHODS = {
    "gptq": "GPTQ",
    "awq": "AWQ",
    "bitsandbytes": "bitsandbytes",
    "mlx": "MLX",
    "fp8": "FP8",
    "compressed-tensors": "compressed-tensors",
}
# What each tool puts beside a matrix, by the ends of names; the first that fits.
_BESIDE = (
    (r"weight\.(absmax|quant_map|quant_state\..*)|SCB", "bitsandbytes"),
    (r"g_idx", "GPTQ"),
    (r"qweight|qzeros", "GPTQ or AWQ"),
    (r"weight_packed", "compressed-tensors"),
    (r"weight_scale(_inv)?", "FP8"),
    (r"scales", "MLX"),
)


def refuse_if_described(described: Mapping[str, Any]) -> None:
    """Raises CheckpointError where config.json says that the weights are quantised."""
    for key in ("quantization_config", "quantization"):
        if (about := described.get(key)) is not None:
            raise _refusal(*_of(about if isinstance(about, dict) else {}))


def refuse_if_named(names: Iterable[str]) -> None:
    """Raises CheckpointError where tensors are called as those of quantised weights are."""
    names = list(names)
    for end, tool in _BESIDE:
        if any(re.search(rf"\.({end})$", name) for name in names):
            raise _refusal(tool, None)


def _of(about: Mapping[str, Any]) -> tuple[str | None, Any]:
    """The tool and its bits, e.g. ("GPTQ", 4)."""
    method = about.get("quant_method")
    if method is None and "group_size" in about:  # MLX names no method
        method = "mlx"
    if method is None and about.keys() & {"load_in_4bit", "load_in_8bit"}:
        method = "bitsandbytes"
    in_bits = {4: about.get("load_in_4bit"), 8: about.get("load_in_8bit")}
    bits = about.get("bits", next((n for n, said in in_bits.items() if said), None))
    return None if method is None else _METHODS.get(str(method), repr(method)), bits


def _refusal(tool: str | None, bits: Any) -> CheckpointError:
    how = [tool] if tool else []
    how += [f"{bits} bits"] if type(bits) is int else []
    by = f" ({', '.join(how)})" if how else ""
    return CheckpointError(
        f"This checkpoint is quantised{by}, and only weights "
        "in bfloat16, float16 and float32 are read: use the one that it was made from."
    )
