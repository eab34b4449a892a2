"""What a source knows of a sentence, before it is put in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from token_journey.journey.journey import Continuation, Known, Run, Story, Token
from token_journey.llama.config import ModelConfig


@dataclass
class Material:
    """All that is known, under our names of activations and Hugging Face's of weights.

    `tokens` are all of the sentence; activations hold those that readable.py keeps.
    `weight` gives a weight as far as it is known. `lens` gives, for a residual stream
    (T, D), the logits (T, V) of a model that would stop there. `runs` are walks of somebody's
    own stages, beside it.
    """

    title: str
    source: str
    missing: str
    text: str
    config: ModelConfig
    parameters: int
    tokens: list[Token]
    activations: dict[str, Known]
    weight: Callable[[str], Known | None]
    spell: Callable[[int], str]
    lens: Callable[[Tensor], Tensor] | None = None
    continuations: Sequence[Continuation] = ()
    branches: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    also: tuple[Token, ...] = ()
    facts: Mapping[int, str] = field(default_factory=dict)
    stories: Mapping[str, Story] = field(default_factory=dict)
    runs: tuple[Run, ...] = ()
