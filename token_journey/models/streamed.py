"""A model that is read part by part: one decoder layer in memory at a time.

The layers are transformers' own, made without memory (on torch's device meta)
and given their weights as they lie in the checkpoint. Of the embedding only the
rows of the prompts are read, and the vocabulary's matrix comes in blocks of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from token_journey.memory import give_back
from token_journey.models.architecture import EMBEDDING, FINAL_NORM
from token_journey.models.checkpoint import BLOCK_BYTES, Checkpoint


class Weights:
    """A checkpoint's weights as a pack stores them; rows are read once, and kept."""

    def __init__(self, checkpoint: Checkpoint):
        self.checkpoint = checkpoint
        self._rows: dict[str, dict[int, Tensor]] = {}

    def whole(self, name: str) -> Tensor:
        return self.checkpoint.tensor(name)

    def rows(self, name: str, indices: Collection[int]) -> Tensor:
        known = self._rows.setdefault(name, {})
        for i in sorted(set(indices) - set(known)):
            known[i] = self.checkpoint.rows(name, i, i + 1)[0]
        return torch.stack([known[i] for i in indices]) if indices else torch.empty(0)


class Streamed(Weights):
    """A checkpoint as the parts that a capture walks through, on the CPU.

    rows: those of the vocabulary that are to be kept, whatever the logits are
    """

    steady = True

    def __init__(self, checkpoint: Checkpoint, rows: Collection[int] = ()):
        from transformers import AutoModelForCausalLM

        super().__init__(checkpoint)
        self.config = checkpoint.family.config
        self.device = torch.device("cpu")
        self._always = sorted(rows)
        self._held: dict[str, Tensor] = {}
        self._block: tuple[int, Tensor] = (0, torch.empty(0))
        untyped: Any = AutoModelForCausalLM
        with torch.device("meta"):
            self._model = untyped.from_config(self.config).train(False)

    def whole(self, name: str) -> Tensor:
        """A weight; of what is being computed, the one in memory."""
        return self._held[name] if name in self._held else super().whole(name)

    def rotary(self) -> nn.Module:
        made: nn.Module = type(self._model.model.rotary_emb)(self.config)
        return made

    def embed(self, ids: Tensor) -> Tensor:
        self.rows(f"{EMBEDDING}.weight", self._always)
        return self.rows(f"{EMBEDDING}.weight", ids.tolist())

    @contextmanager
    def layer(self, number: int) -> Iterator[nn.Module]:
        prefix = f"model.layers.{number}."
        tensors = self.checkpoint.tensors
        names = sorted(self.checkpoint.family.layer_shapes(number), key=lambda n: tensors[n].start)
        self._held = {name: self.checkpoint.tensor(name) for name in names}
        try:
            weights = {name.removeprefix(prefix): w for name, w in self._held.items()}
            with _given(self._model.model.layers[number], weights) as layer:
                del weights
                yield layer
        finally:
            self._held = {}
            give_back()

    @contextmanager
    def norm(self) -> Iterator[nn.Module]:
        weight = self.checkpoint.tensor(f"{FINAL_NORM}.weight")
        self._held = {f"{FINAL_NORM}.weight": weight}  # small enough to stay
        with _given(self._model.model.norm, {"weight": weight}) as norm:
            yield norm

    def vocabulary(self) -> Iterator[tuple[int, Callable[[Tensor], Tensor]]]:
        name = self.checkpoint.family.vocabulary_weight
        stored = self.checkpoint.tensors[name]
        rows = max(1, BLOCK_BYTES // stored.bytes_a_row)
        for begin in range(0, stored.shape[0], rows):
            block = self.checkpoint.rows(name, begin, min(begin + rows, stored.shape[0]))
            self._block = begin, block
            yield begin, partial(_linear, block)
        self._block = 0, torch.empty(0)
        del block
        give_back()

    def remember(self, rows: set[int]) -> None:
        """Keep these rows of the vocabulary's matrix, and forget others that were kept."""
        wanted = rows.union(self._always)
        begin, block = self._block
        fresh = {i: block[i - begin].clone() for i in wanted if begin <= i < begin + len(block)}
        known = self._rows.setdefault(self.checkpoint.family.vocabulary_weight, {})
        known.update(fresh)
        for i in set(known) - wanted:
            del known[i]


def _linear(weight: Tensor, x: Tensor) -> Tensor:
    return nn.functional.linear(x, weight)


@contextmanager
def _given(module: nn.Module, weights: dict[str, Tensor]) -> Iterator[nn.Module]:
    """A module with these weights; afterwards it has none again."""
    module.load_state_dict(weights, assign=True, strict=True)
    try:
        yield module
    finally:
        module.to("meta")
