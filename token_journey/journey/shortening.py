"""How much of a long text can be read on one page: its first tokens and its last ones."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

FIRST, LAST = 4, 16
# The axes that run over the tokens.
OVER_TOKENS = frozenset({"token", "query", "key"})


def kept(count: int) -> list[int]:
    """Of so many tokens the indices of those that are shown."""
    if count <= FIRST + LAST:
        return list(range(count))
    return [*range(FIRST), *range(count - LAST, count)]


def left_out(count: int) -> str:
    """What is not shown of so many tokens, in a sentence; nothing if all are."""
    missing = count - len(kept(count))
    if not missing:
        return ""
    return (
        f"The model read all {count} tokens. Shown are the first {FIRST} and the last {LAST}; the "
        f"{missing} between are left out, so shares of attention need not add up to 1 here."
    )


def cut(value: Tensor, axes: Sequence[str], count: int) -> Tensor:
    """An activation of `count` tokens, at the tokens that are shown."""
    index = torch.tensor(kept(count))
    for axis, name in enumerate(axes):
        if name in OVER_TOKENS and len(index) < count:
            value = value.index_select(axis, index)
    return value
