"""A chained walk: each stage gets what the earlier stages of the same folder produced.

Stages are graded alone; this is the other view. One sentence goes through all
of them, and every activation that the model's own was captured of is held
against it. The first name that leaves the model is where to look.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from token_journey.checking import StageUnderTest
from token_journey.implementation import CannotLoad, Implementation, Stage
from token_journey.pack import Pack, Prompt

_STUB = "raise NotImplementedError"
_BEST = 5


@dataclass(frozen=True)
class Step:
    """One name in the walk: which stage made it, and how far it lies from the model's."""

    name: str
    stage: str
    distance: float
    allowed: float

    @property
    def holds(self) -> bool:
        return self.distance <= self.allowed


@dataclass(frozen=True)
class Walk:
    """The steps as far as they went, and what the model would say next.

    `error` is what ended the walk early, raised in `broken`; `guesses` and
    `model_guesses` are the likeliest next tokens with their probabilities.
    """

    steps: list[Step]
    guesses: list[tuple[str, float]]
    model_guesses: list[tuple[str, float]]
    broken: str = ""
    error: BaseException | None = None

    @property
    def departure(self) -> Step | None:
        """The first step that is not the model's."""
        return next((step for step in self.steps if not step.holds), None)

    @property
    def right(self) -> bool:
        return self.error is None and self.departure is None


def to_do(folder: Path, stages: list[Stage]) -> list[Stage]:
    """The stages of a folder that are missing or still say "not implemented"."""

    def unwritten(stage: Stage) -> bool:
        file = folder / f"{stage.name}.py"
        return not file.is_file() or _STUB in file.read_text(encoding="utf-8", errors="replace")

    return [stage for stage in stages if unwritten(stage)]


def chained(folder: Path, reference: Implementation, missing: list[Stage]) -> Implementation:
    """The folder's stages, with the reference's in place of those that are missing."""
    return Implementation(folder, {s.name: reference.module(s.name) for s in missing})


def walk(implementation: Implementation, stages: list[Stage], pack: Pack, prompt: Prompt) -> Walk:
    """Take one prompt through all stages, as far as they go.

    pack: one with all weights, a vocabulary, and what the model computed on `prompt`
    """
    walker = _Walker(implementation, {stage.number: stage.name for stage in stages}, pack, prompt)
    error: BaseException | None = None
    try:
        walker.go()
    except (Exception, CannotLoad) as raised:
        error = raised
    model = _best(pack.activation(prompt.name, "probs.last"), pack)
    mine = _best(walker.probs, pack) if walker.probs is not None else []
    return Walk(walker.steps, mine, model, walker.stage if error else "", error)


def _best(probs: Tensor, pack: Pack) -> list[tuple[str, float]]:
    """The likeliest tokens as text, with their probabilities."""
    best = probs.detach().float().topk(_BEST)
    spelled = pack.vocabulary.id_to_bytes
    return [
        (spelled.get(token, b"?").decode("utf-8", errors="replace"), p)
        for token, p in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]


class _Walker:
    """Runs the stages one after the other and holds what it can against the pack."""

    def __init__(
        self, implementation: Implementation, names: dict[int, str], pack: Pack, prompt: Prompt
    ):
        self._implementation = implementation
        self._names = names
        self._pack = pack
        self._prompt = prompt
        self.steps: list[Step] = []
        self.stage = ""
        self.probs: Tensor | None = None

    def _use(self, number: int) -> StageUnderTest:
        self.stage = stage = self._names[number]
        file = self._implementation.folder / f"{stage}.py"
        return StageUnderTest(file, lambda: self._implementation.module(stage))

    def _saw(self, name: str, value: Any, called: str = "") -> None:
        """Record a step, under its own name or another, if the model's value was captured."""
        if not self._pack.has_activation(self._prompt.name, name):
            return
        entry = self._pack.activation_entry(self._prompt.name, name)
        if not entry.complete:
            return
        expected = self._pack.activation(self._prompt.name, name)
        distance = torch.inf
        if isinstance(value, Tensor) and value.shape == expected.shape:
            distance = (value.detach().double() - expected.double()).abs().max().item()
            distance = torch.inf if distance != distance else distance
        self.steps.append(Step(called or name, self.stage, distance, entry.end_to_end))

    def go(self) -> None:
        config, weights = self._pack.config, self._pack.all_weights()
        ids = self._tokens()
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

        written = self._use(10).generate(ids, weights, config, 1)
        best = int(self._pack.activation(self._prompt.name, "logits.last").argmax())
        right = [int(i) for i in written] == [*ids.tolist(), best]
        self.steps.append(Step("the next token", self.stage, 0.0 if right else torch.inf, 0.0))

    def _tokens(self) -> Tensor:
        vocabulary = self._pack.vocabulary
        words = [vocabulary.symbols(word) for word in self._prompt.words]
        bos = self._pack.begin_token
        ids = self._use(1).encode(words, vocabulary.ids, vocabulary.ranks, bos)
        right = list(ids) == list(self._prompt.ids)
        self.steps.append(Step("tokens", self.stage, 0.0 if right else torch.inf, 0.0))
        # Other ids are another sentence: the walk goes on with the model's.
        return torch.tensor(ids if right else self._prompt.ids)

    def _layer(self, x: Tensor, layer: int, cos: Tensor, sin: Tensor) -> Tensor:
        config, weights = self._pack.config, self._pack.layer_weights(layer)
        block = f"blocks.{layer}"
        eps = config.rms_norm_eps

        normed = self._use(3).rms_norm(x, weights["input_layernorm.weight"], eps)
        self._saw(f"{block}.ln1.out", normed)
        if self._pack.has_activation(self._prompt.name, f"{block}.attn.q"):
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
        n_heads, n_kv = self._pack.config.num_attention_heads, self._pack.config.num_key_value_heads
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
