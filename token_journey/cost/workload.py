"""Sizes to measure at, and random numbers of those sizes: cost does not depend on the values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property

import torch
from torch import Tensor

from token_journey.course.course import find_course
from token_journey.errors import TooLarge
from token_journey.llama.config import ModelConfig
from token_journey.llama.formulas import FLOAT32, cache_bytes, cost
from token_journey.memory import free_memory
from token_journey.packs.pack import Pack

# What Python, torch and transformers need.
_LIBRARIES = 700_000_000
_LARGER_THAN_CACHES = 150_000_000

AITANA, SMOLLM2 = "Aitana-2B-S", "SmolLM2-135M"
# The course's packs that know their sizes.
_PACKS = {AITANA: "aitana-2b-s-published", SMOLLM2: "smollm2-135m"}


@cache
def config_of(model: str) -> ModelConfig:
    """The sizes of a model, as the course's pack has them. Raises CourseError, PackError."""
    return Pack(find_course().packs / _PACKS[model]).config


@dataclass(frozen=True)
class Size:
    """What is measured: a model's sizes, its key/value heads, and how many tokens."""

    model: str
    kv_heads: int
    tokens: int

    @property
    def config(self) -> ModelConfig:
        return replace(config_of(self.model), num_key_value_heads=self.kv_heads)

    @classmethod
    def of(cls, text: str) -> Size:
        """Read what `str` wrote."""
        model, tokens, heads = text.rsplit("-", 2)
        return cls(model, int(heads.removesuffix("kv")), int(tokens))

    def __str__(self) -> str:
        return f"{self.model}-{self.tokens}-{self.kv_heads}kv"


@dataclass(frozen=True)
class Work:
    """Random tensors of one size, made when they are asked for."""

    size: Size
    device: torch.device

    @property
    def config(self) -> ModelConfig:
        return self.size.config

    def stream(self) -> Tensor:
        """(T, D)"""
        return self._random(self.size.tokens, self.config.hidden_size)

    def heads(self, count: int, tokens: int | None = None) -> Tensor:
        """(count, T, d)"""
        return self._random(count, tokens or self.size.tokens, self.config.head_dim)

    def norm_weight(self) -> Tensor:
        """(D,)"""
        return self._random(self.config.hidden_size)

    @cached_property
    def vocabulary(self) -> Tensor:
        """(V, D)"""
        return self._random(self.config.vocab_size, self.config.hidden_size)

    @cached_property
    def tables(self) -> tuple[Tensor, Tensor]:
        """Something as large as cos and sin, (T, d)"""
        angles = self._random(self.size.tokens, self.config.head_dim)
        return angles.cos(), angles.sin()

    @cached_property
    def layer(self) -> dict[str, Tensor]:
        """The weights of one layer, under the names of stage 7."""
        c = self.config
        d, f, of_heads = c.hidden_size, c.intermediate_size, c.num_attention_heads * c.head_dim
        of_kv_heads = c.num_key_value_heads * c.head_dim
        return {
            "input_layernorm.weight": self._random(d),
            "self_attn.q_proj.weight": self._random(of_heads, d),
            "self_attn.k_proj.weight": self._random(of_kv_heads, d),
            "self_attn.v_proj.weight": self._random(of_kv_heads, d),
            "self_attn.o_proj.weight": self._random(d, of_heads),
            "post_attention_layernorm.weight": self._random(d),
            "mlp.gate_proj.weight": self._random(f, d),
            "mlp.up_proj.weight": self._random(f, d),
            "mlp.down_proj.weight": self._random(d, f),
        }

    @cached_property
    def model(self) -> dict[str, Tensor]:
        """All weights of `config`, with a tied vocabulary.

        Layers that are larger than any cache are one and the same, to save memory: each is
        read from memory all the same.
        """
        weights = {
            "model.embed_tokens.weight": self.vocabulary,
            "model.norm.weight": self.norm_weight(),
        }
        bytes_a_layer = FLOAT32 * cost("decoder layer", self.config, 1).parameters
        for number in range(self.config.num_hidden_layers):
            for name, weight in self.layer.items():
                own = weight if bytes_a_layer > _LARGER_THAN_CACHES else weight.clone()
                weights[f"model.layers.{number}.{name}"] = own
        return weights

    def bytes_of(self, step: str) -> int:
        """What measuring a step takes: its weights, and what it moves besides, twice."""
        t, config = self.size.tokens, self.config
        one = cost(step, config, t)
        if not step.startswith("token"):
            weights = FLOAT32 * one.parameters
            return weights + 2 * (one.bytes - weights)
        layer = FLOAT32 * cost("decoder layer", config, 1).parameters
        layers = 1 if layer > _LARGER_THAN_CACHES else config.num_hidden_layers
        vocabulary = FLOAT32 * config.vocab_size * config.hidden_size
        return layers * layer + vocabulary + 2 * cache_bytes(config, t)

    def _random(self, *shape: int) -> Tensor:
        """Small numbers around 0; a block of them over and over, for speed."""
        total = torch.Size(shape).numel()
        generator = torch.Generator(self.device).manual_seed(total)
        block = min(total, 1_000_000)
        numbers = torch.rand(block, generator=generator, device=self.device) - 0.5
        if block < total:
            numbers = numbers.repeat(-(-total // block))[:total]
        return numbers.mul_(2 / self.config.hidden_size**0.5).view(shape)


def check_memory(bytes_needed: int, what: str) -> None:
    """Raise TooLarge where a measurement would take more memory than is free."""
    needed = bytes_needed + _LIBRARIES
    free = free_memory()
    if needed > free:
        raise TooLarge(
            f"{what} would take {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are free: "
            "close other programs, or measure fewer tokens."
        )
