"""Numbers as text: one way to write each kind, in messages, terminal and page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def row(values: Tensor, decimals: int = 4) -> str:
    """`[0.8511, 0.7741, …, 0.9303]`: the first few and the last of a vector."""
    flat = [number(value, decimals) for value in values.detach().flatten().tolist()]
    if values.ndim == 0:
        return flat[0]
    shown = [flat[i] for i in shown_places(len(flat))]
    if len(shown) < len(flat):
        shown.insert(2, "…")
    return "[" + ", ".join(shown) + "]"


def shown_places(size: int) -> list[int]:
    """Which numbers of a vector are written down."""
    return list(range(size)) if size <= 6 else [0, 1, size - 1]


def number(value: float, decimals: int = 4) -> str:
    """Four decimals where they show the number, three digits elsewhere."""
    if isinstance(value, bool | int):
        return str(value)
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    plain = value == 0 or 10**-decimals <= abs(value) < 10_000
    return f"{value:.{decimals}f}" if plain else f"{value:.3g}"


def size(value: float) -> str:
    """A distance in a digit or two: 0.0003, 2e-07, 0.75, 28, 3,600."""
    return f"{value:.2g}" if abs(value) < 100 else f"{value:,.0f}"


def percent(share: float, decimals: int = 1) -> str:
    """0.123 as `12.3 %`, and small ones with as many digits as it takes to see them."""
    value = 100 * share
    plain = value == 0 or value >= 10**-decimals
    return f"{value:.{decimals}f} %" if plain else f"{value:.2g} %"
