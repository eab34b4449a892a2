"""What a pack keeps of a model: whole layers, or a slice of each.

A slice holds parts that are exact in themselves: whole heads with their rows of
the projections, some neurons with their rows of the MLP, some outputs of the
attention with their rows of o_proj. All tensors are cut by the same lists, which
pack.json holds under the names below, so a check that can do with some heads
finds the same heads everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from math import prod
from typing import TYPE_CHECKING

from token_journey.llama.shapes import activation_shape
from token_journey.models.architecture import EMBEDDING, FINAL_NORM, VOCABULARY, Family
from token_journey.packs.manifest import (
    HEADS,
    KEY_VALUE_HEADS,
    KEY_VALUE_ROWS,
    NEURONS,
    OUTPUTS,
    QUERY_ROWS,
    Kept,
    Prompt,
)

if TYPE_CHECKING:
    from token_journey.packs.writer import Captured, PackWriter

# Of each prompt's next token so many candidates keep their rows of the vocabulary.
CANDIDATES = 100
# In a slice: how many neurons, how many outputs of the attention, how many candidates, and
# how many bytes of whole logits, for the first prompts.
_NEURONS, _OUTPUTS, _CANDIDATES, _LOGITS_BYTES = 64, 32, 50, 2_200_000
# The first five and the last five: what people print of a tensor.
_ENDS = 5

_LAYER = (
    *("resid_pre", "ln1.out", "attn.q", "attn.k", "attn.v", "attn.rot_q", "attn.rot_k"),
    *("attn.scores_raw", "attn.scores", "attn.pattern", "attn.z", "attn_out", "resid_mid"),
    *("ln2.out", "mlp.gate", "mlp.gate_act", "mlp.up", "mlp.post", "mlp_out", "resid_post"),
)
_LAST_TOKEN = re.compile(r"(logits|probs)\.last|warped\..*")
_BLOCK = re.compile(r"blocks\.(\d+)\.(.+)")

EMBEDDED, ROWS, HIDDEN_ENDS = "embedded", "vocabulary", "ends of hidden"


# Which rows and columns of a layer's matrices a slice keeps.
_CUT: dict[str, tuple[str, str]] = {
    "q_proj": (QUERY_ROWS, ""),
    "k_proj": (KEY_VALUE_ROWS, ""),
    "v_proj": (KEY_VALUE_ROWS, ""),
    "o_proj": (OUTPUTS, ""),
    "gate_proj": (NEURONS, ""),
    "up_proj": (NEURONS, ""),
    "down_proj": (OUTPUTS, NEURONS),
}


def layer_names(layer: int) -> Iterator[str]:
    """Every activation of a layer, in the order in which data flows."""
    return (f"blocks.{layer}.{name}" for name in _LAYER)


def ends(size: int) -> list[int]:
    return sorted({*range(min(_ENDS, size)), *range(max(size - _ENDS, 0), size)})


def spread(size: int, count: int) -> list[int]:
    """About `count` indices over an axis, both its ends among them."""
    between = {round(i * (size - 1) / max(count - 1, 1)) for i in range(count)}
    return sorted({*ends(size), *between} if size > count else range(size))


@dataclass(frozen=True)
class Less:
    """What is kept of one prompt, where that is less than of the others.

    layers:  those of which what lies inside is kept; all that are kept if None
    without: what is not kept, by its name inside a layer or outside the layers
    tokens:  those at which the residual stream is kept between the kept layers; all if None
    """

    layers: tuple[int, ...] | None = None
    without: tuple[str, ...] = ()
    tokens: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Selection:
    """What is kept of which layers, for which prompts.

    layers: those kept, first to last; the walk ends with the last of them
    sliced: whether only some heads, neurons and outputs are kept of them
    less:   by a prompt's name, where less is kept of it
    """

    family: Family
    prompts: Sequence[Prompt]
    layers: tuple[int, ...]
    sliced: bool = False
    less: Mapping[str, Less] = field(default_factory=dict)

    @property
    def until(self) -> int:
        return self.layers[-1]

    @property
    def to_the_logits(self) -> bool:
        return self.until == self.family.shape.num_hidden_layers - 1

    @property
    def everything(self) -> bool:
        """Whether the pack holds the whole model."""
        return not self.sliced and len(self.layers) == self.family.shape.num_hidden_layers

    @property
    def candidates(self) -> int:
        return _CANDIDATES if self.sliced else CANDIDATES

    # -- which indices ----------------------------------------------------------

    @cached_property
    def rows(self) -> list[int]:
        """The rows of the vocabulary that are kept whatever the logits turn out to be."""
        ids = {i for prompt in self.prompts for i in prompt.ids}
        return sorted(ids | set(ends(self.family.shape.vocab_size)))

    @cached_property
    def lists(self) -> dict[str, list[int]]:
        """The index lists that the pack needs, but for the vocabulary's."""
        c = self.family.shape
        lists: dict[str, list[int]] = {}
        if not self.everything:
            lists[EMBEDDED] = self.rows
        if self.sliced:
            shared = c.num_attention_heads // c.num_key_value_heads
            kv_heads = sorted({0, c.num_key_value_heads - 1})
            heads = [h * shared + i for h in kv_heads for i in range(shared)]
            lists |= {
                HEADS: heads,
                KEY_VALUE_HEADS: kv_heads,
                QUERY_ROWS: [h * c.head_dim + i for h in heads for i in range(c.head_dim)],
                KEY_VALUE_ROWS: [h * c.head_dim + i for h in kv_heads for i in range(c.head_dim)],
                NEURONS: spread(c.intermediate_size, _NEURONS),
                OUTPUTS: spread(c.hidden_size, _OUTPUTS),
                HIDDEN_ENDS: ends(c.hidden_size),
            }
        return lists

    # -- activations --------------------------------------------------------------

    def names(self) -> Iterator[str]:
        """Every activation that the walk finds, in the order in which data flows."""
        yield from ("embed", "rotary.cos", "rotary.sin")
        for layer in range(self.until + 1):
            yield from layer_names(layer)
        if self.to_the_logits:
            yield from ("ln_final.out", "logits", "logits.last", "probs.last")

    def wanted(self, prompt: str, name: str) -> bool:
        """Whether an activation is stored, whole or in part."""
        block, less = _BLOCK.fullmatch(name), self._less(prompt)
        if (block[2] if block else name) in less.without:
            return False
        if block:
            layer, inside = int(block[1]), block[2]
            layers = self.layers if less.layers is None else less.layers
            dropped = self.sliced and inside == "mlp_out"
            return inside == "resid_post" or (layer in layers and not dropped)
        if self.sliced and _LAST_TOKEN.fullmatch(name):
            both = 2 * 4 * self.family.shape.vocab_size
            first = [p.name for p in self.prompts[: max(1, _LOGITS_BYTES // both)]]
            return prompt in first
        return True

    def _less(self, prompt: str) -> Less:
        return self.less.get(prompt, Less())

    def part(self, prompt: str, name: str) -> Kept | None:
        """Which part of a wanted activation is stored; None for all of it."""
        if self.everything:
            return None
        if name == "logits":
            return {1: ROWS}
        if name.startswith("warped."):
            return {0: ROWS}
        block, tokens = _BLOCK.fullmatch(name), self._less(prompt).tokens
        if not block or not (self.sliced or tokens):
            return None
        layer, inside = int(block[1]), block[2]
        enters = layer + 1 in (*self.layers, self.family.shape.num_hidden_layers)
        if tokens:
            between = inside == "resid_post" and layer not in self.layers and not enters
            return {0: tokens} if between else None
        if inside in ("attn.q", "attn.rot_q"):
            return {0: HEADS}
        if inside in ("attn.k", "attn.rot_k", "attn.v"):
            return {0: KEY_VALUE_HEADS}
        if inside.startswith("mlp."):
            return {1: NEURONS}
        if inside == "attn_out":
            return {1: OUTPUTS}
        if inside == "resid_post" and not enters:
            return {1: HIDDEN_ENDS}
        return None

    def store(self, pack: PackWriter, prompt: Prompt, found: Mapping[str, Captured]) -> None:
        """Put a prompt into a pack, and what is kept of its activations."""
        parts = {name: part for name in found if (part := self.part(prompt.name, name))}
        pack.add_prompt(prompt)
        pack.add_captured(prompt.name, found, partial(self.wanted, prompt.name), parts)

    def activation_bytes(self, prompt: Prompt) -> int:
        """What the activations of a prompt weigh, without the candidates' logits."""
        return sum(
            4 * prod(self._stored_shape(prompt, name))
            for name in self.names()
            if self.wanted(prompt.name, name) and not name.endswith("resid_pre")
        )

    def _stored_shape(self, prompt: Prompt, name: str) -> list[int]:
        shape = activation_shape(self.family.shape, name, len(prompt.ids))
        for axis, kept in (self.part(prompt.name, name) or {}).items():
            indices = self.lists.get(kept, self.rows) if isinstance(kept, str) else kept
            shape[axis] = len(indices)
        return shape

    # -- weights --------------------------------------------------------------------

    def layer_weights(self, layer: int) -> dict[str, Kept | None]:
        """Which weights of a layer are stored, and which part of each."""
        if layer not in self.layers:
            return {}
        return {name: self._weight_part(name) for name in self.family.layer_shapes(layer)}

    def _weight_part(self, name: str) -> Kept | None:
        module, kind = name.split(".")[-2:]
        if not self.sliced or module not in _CUT:
            return None
        rows, columns = _CUT[module]
        return {0: rows, 1: columns} if columns and kind == "weight" else {0: rows}

    def outer_weights(self) -> dict[str, Kept | None]:
        """Which weights outside the layers are stored, and which rows of each."""
        embedding, norm, vocabulary = (
            f"{name}.weight" for name in (EMBEDDING, FINAL_NORM, VOCABULARY)
        )
        untied = not self.family.shape.tie_word_embeddings
        if self.everything:
            kept: dict[str, Kept | None] = {embedding: None, norm: None}
            return kept | ({vocabulary: None} if untied else {})
        rows = ROWS if self.to_the_logits else EMBEDDED
        kept = {embedding: {0: EMBEDDED if untied else rows}}
        if self.to_the_logits:
            kept[norm] = None
        return kept | ({vocabulary: {0: rows}} if untied else {})
