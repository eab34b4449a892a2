"""A model, part by part: what a capture asks of whoever has one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

import torch
from torch import Tensor, nn

# Rows of the vocabulary from `begin` on, as the linear map onto them.
Block = tuple[int, Callable[[Tensor], Tensor]]


class Parts(Protocol):
    """A model, part by part, with its weights at whatever dtype they have.

    `config` is transformers' configuration; attention is to be computed where
    hooks.py sees it. Parts take and give tensors on `device`, and `steady`
    says that a part's weights stay where they are for as long as it is lent.
    """

    config: Any
    device: torch.device
    steady: bool

    def rotary(self) -> nn.Module:
        """transformers' module that makes the tables of RoPE, made anew."""

    def embed(self, ids: Tensor) -> Tensor:
        """Rows (T, D) of the embedding."""

    def layer(self, number: int) -> AbstractContextManager[nn.Module]:
        """A decoder layer, for as long as the context lasts."""

    def norm(self) -> AbstractContextManager[nn.Module]:
        """The final norm."""

    def vocabulary(self) -> Iterator[Block]:
        """The linear map onto the logits, in blocks of rows, first to last."""

    def remember(self, rows: set[int]) -> None:
        """Of the rows of the vocabulary handed out so far, these will be asked for again."""
