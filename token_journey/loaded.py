"""A whole model in memory: on the CPU, on a GPU, or spread over what there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn


class Loaded:
    """A model that transformers loaded, as the parts that capture.py walks through."""

    def __init__(self, model: Any, device: torch.device | None = None):
        """device: where the first layer computes; the model's own if not given"""
        self._model = model.train(False)
        self.config = model.config
        self.device = device or model.device

    def rotary(self) -> nn.Module:
        made: nn.Module = type(self._model.model.rotary_emb)(self.config)
        return made

    def embed(self, ids: Tensor) -> Tensor:
        rows: Tensor = self._model.model.embed_tokens(ids.to(self.device))
        return rows

    def layer(self, number: int) -> AbstractContextManager[nn.Module]:
        return nullcontext(self._model.model.layers[number])

    def norm(self) -> AbstractContextManager[nn.Module]:
        return nullcontext(self._model.model.norm)

    def vocabulary(self) -> Iterator[tuple[int, Callable[[Tensor], Tensor]]]:
        yield 0, self._model.lm_head
