"""One sentence through all ten stages of a folder, each on what the earlier ones made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from token_journey.course.implementation import Implementation
from token_journey.course.stage import Stage
from token_journey.course.under_test import StageUnderTest
from token_journey.llama.config import ModelConfig
from token_journey.llama.vocabulary import Vocabulary


@dataclass(frozen=True)
class Ground:
    """A whole model and a sentence: what the stages are given.

    `words` is the text as the tokenizer's pre-tokenizer cuts it; it is empty, and so may
    the vocabulary be missing, where merging alone does not give the ids.
    """

    config: ModelConfig
    weights: Mapping[str, Tensor]
    ids: tuple[int, ...]
    words: tuple[str, ...]
    vocabulary: Vocabulary | None
    begin_token: int | None

    @property
    def merges(self) -> bool:
        """Whether the first stage can find the ids."""
        return self.vocabulary is not None and bool(self.words)

    def layer_weights(self, layer: int) -> dict[str, Tensor]:
        """One layer's weights, named as they are inside the layer."""
        prefix = f"model.layers.{layer}."
        return {k.removeprefix(prefix): w for k, w in self.weights.items() if k.startswith(prefix)}


class Walker:
    """Runs the stages one after the other, and tells `saw` what each of them makes.

    saw:    called with a name, the stage that made it, what it made, and what to call it
            if not by its name
    inside: of which layers attention is taken apart

    `stage` is the one that runs, or ran last, and `probs` what it says of the next token.
    """

    def __init__(
        self,
        implementation: Implementation,
        stages: list[Stage],
        ground: Ground,
        saw: Callable[..., None],
        inside: Callable[[int], bool],
    ):
        self._implementation = implementation
        self._names = {stage.number: stage.name for stage in stages}
        self._ground = ground
        self._tell = saw
        self._inside = inside
        self.stage = ""
        self.probs: Tensor | None = None

    def _use(self, number: int) -> StageUnderTest:
        self.stage = stage = self._names[number]
        file = self._implementation.folder / f"{stage}.py"
        return StageUnderTest(file, lambda: self._implementation.module(stage))

    def _saw(self, name: str, value: Any, called: str = "") -> None:
        self._tell(name, self.stage, value, called)

    def tokens(self) -> list[int]:
        """Stage 1: the ids of the sentence."""
        vocabulary = self._ground.vocabulary
        assert vocabulary is not None
        words = [vocabulary.symbols(word) for word in self._ground.words]
        ids = self._use(1).encode(words, vocabulary.ids, vocabulary.ranks, self._ground.begin_token)
        return [int(i) for i in ids]

    def decode(self) -> None:
        """Stages 2 to 9, from the model's ids on: other ids would be another sentence."""
        config, weights = self._ground.config, self._ground.weights
        ids = torch.tensor(self._ground.ids)
        x = self._use(2).embed(ids, weights["model.embed_tokens.weight"])
        self._saw("embed", x)

        rope = self._use(4)
        cos, sin = rope.rotary_tables(
            torch.arange(len(ids)), rope.frequencies(config.head_dim, config.rope_theta)
        )
        self._saw("rotary.cos", cos)
        self._saw("rotary.sin", sin)
        for layer in range(config.num_hidden_layers):
            x = self._layer(x, layer, cos, sin)

        stream = self._use(7).decoder(ids, weights, config)
        last = f"blocks.{config.num_hidden_layers - 1}.resid_post"
        self._saw(last, stream, f"{last} by `decoder`")
        vocabulary = weights.get("lm_head.weight", weights["model.embed_tokens.weight"])
        norm = weights["model.norm.weight"]
        logits = self._use(8).lm_head(stream[-1], norm, vocabulary, config.rms_norm_eps)
        self._saw("logits.last", logits)
        self.probs = self._use(9).softmax(logits)
        self._saw("probs.last", self.probs)

    def generate(self, new_tokens: int) -> list[int]:
        """Stage 10: the sentence and what comes after it."""
        ground = self._ground
        ids = torch.tensor(ground.ids)
        written = self._use(10).generate(ids, ground.weights, ground.config, new_tokens)
        return [int(i) for i in written]

    def _layer(self, x: Tensor, layer: int, cos: Tensor, sin: Tensor) -> Tensor:
        config, weights = self._ground.config, self._ground.layer_weights(layer)
        block = f"blocks.{layer}"
        eps = config.rms_norm_eps

        normed = self._use(3).rms_norm(x, weights["input_layernorm.weight"], eps)
        self._saw(f"{block}.ln1.out", normed)
        if self._inside(layer):
            self._inside_attention(normed, weights, block, cos, sin)
        out = self._use(5).grouped_query_attention(
            normed, weights, cos, sin, config.num_attention_heads, config.num_key_value_heads
        )
        self._saw(f"{block}.attn_out", out)
        x = x + out
        self._saw(f"{block}.resid_mid", x)

        normed = self._use(3).rms_norm(x, weights["post_attention_layernorm.weight"], eps)
        self._saw(f"{block}.ln2.out", normed)
        gate, up, down = (weights[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down"))
        mlp = self._use(6)
        self._saw(f"{block}.mlp.gate_act", mlp.silu(normed @ gate.mT))
        out = mlp.swiglu(normed, gate, up, down)
        self._saw(f"{block}.mlp_out", out)
        x = x + out
        self._saw(f"{block}.resid_post", x)
        return x

    def _inside_attention(
        self, normed: Tensor, weights: dict[str, Tensor], block: str, cos: Tensor, sin: Tensor
    ) -> None:
        """The steps that grouped_query_attention is made of, one by one."""
        config = self._ground.config
        n_heads, n_kv = config.num_attention_heads, config.num_key_value_heads
        attention = self._use(5)
        split = {}
        for name, heads in (("q", n_heads), ("k", n_kv), ("v", n_kv)):
            flat = normed @ weights[f"self_attn.{name}_proj.weight"].mT
            split[name] = attention.split_heads(flat, heads)
            self._saw(f"{block}.attn.{name}", split[name])
        rope = self._use(4)
        q, k = (rope.apply_rope(split[name], cos, sin) for name in "qk")
        self._saw(f"{block}.attn.rot_q", q)
        self._saw(f"{block}.attn.rot_k", k)
        attention = self._use(5)
        k, v = (attention.repeat_kv(each, n_heads // n_kv) for each in (k, split["v"]))
        mask = attention.causal_mask(len(cos), len(cos))
        pattern = attention.attention_pattern(q, k, mask)
        self._saw(f"{block}.attn.pattern", pattern)
        self._saw(f"{block}.attn.z", pattern @ v)
