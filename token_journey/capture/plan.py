"""What a capture will read, how much memory it takes, and what the pack will weigh.

A capture follows the plan that `--dry-run` prints: which bytes are read follows
from it, and the tests hold the count against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from shutil import disk_usage

from token_journey.capture.selection import ROWS, Selection, layer_names
from token_journey.errors import CheckpointError, PackError
from token_journey.foreign import foreign
from token_journey.llama.shapes import activation_shape
from token_journey.memory import free_memory
from token_journey.models.architecture import EMBEDDING, FINAL_NORM
from token_journey.models.checkpoint import BLOCK_BYTES, Checkpoint, Stored
from token_journey.packs.manifest import Kept, Prompt

# Python with torch and transformers, and what lies between the pieces of memory; measured.
_LIBRARIES = 500_000_000
# Of (heads, tokens, tokens) numbers in float64, so many more are there for a moment; measured.
_SQUARES = 7
# Operations that a slow machine does in a second.
_A_SECOND = 10**10
# pack.json's line for one activation or weight.
_LINE = 130


@dataclass(frozen=True)
class Plan:
    """A capture, before it begins: `selection` says what of, `streamed` how."""

    checkpoint: Checkpoint
    selection: Selection
    streamed: bool
    tokenizer: bytes | None
    begin_token: int | None

    @property
    def layers_walked(self) -> range:
        return range(self.selection.until + 1)

    # -- bytes ------------------------------------------------------------------

    @property
    def reads(self) -> dict[str, int]:
        """The bytes of weights that are read, by what they are; each byte once."""
        rows, tensors = len(self.selection.rows), self.checkpoint.tensors
        embedding, vocabulary = (
            tensors[f"{EMBEDDING}.weight"],
            tensors[self.checkpoint.family.vocabulary_weight],
        )
        if not self.streamed:
            return {"the whole checkpoint": self.checkpoint.stored_bytes}
        reads = {f"{rows} rows of the embedding": rows * embedding.bytes_a_row}
        layers = sum(self._layer_bytes(layer) for layer in self.layers_walked)
        reads[_layers(self.layers_walked)] = layers
        if self.selection.to_the_logits:
            reads["the final norm"] = tensors[f"{FINAL_NORM}.weight"].bytes
            reads[f"the vocabulary, in blocks of {BLOCK_BYTES / 1e6:.0f} MB"] = vocabulary.bytes
        elif not self.checkpoint.family.shape.tie_word_embeddings:
            reads[f"{rows} rows of the vocabulary"] = rows * vocabulary.bytes_a_row
        if self.selection.everything:
            outer = {*self.selection.outer_weights()} - {f"{FINAL_NORM}.weight"}
            reads["the matrices outside the layers, for the pack"] = _sum(tensors, outer)
        return reads

    def bytes_until(self, layer: int) -> int:
        """What is not read again where a capture goes on after a layer."""
        if not self.streamed:
            return 0
        return sum(self._layer_bytes(number) for number in range(layer + 1))

    def _layer_bytes(self, layer: int) -> int:
        return _sum(self.checkpoint.tensors, self.checkpoint.family.layer_shapes(layer))

    @property
    def tokenizer_bytes(self) -> int:
        """What is read of the tokenizer, whatever the pack keeps of it."""
        return self.checkpoint.source.size("tokenizer.json") or 0

    # -- memory -----------------------------------------------------------------

    @property
    def memory(self) -> int:
        """About how many bytes of memory are needed at most."""
        weights = 0 if self.streamed else self.checkpoint.stored_bytes
        walking = _LIBRARIES + weights + self._computing_bytes
        return max(walking, _LIBRARIES + self.pack_bytes)

    def refuse_a_full_disk(self, folder: Path, resumed: Path) -> None:
        """Raises PackError where a folder's disk has no room for the pack and what leads to it.

        resumed: what an interrupted capture left, which is there already
        """
        there = next(parent for parent in folder.absolute().parents if parent.exists())
        left = [file.stat().st_size for file in resumed.iterdir()] if resumed.is_dir() else ()
        needed, free = max(self.pack_bytes, self.disk_bytes - sum(left)), disk_usage(there).free
        if needed > free:
            raise PackError(
                f"About {megabytes(needed)} of disk are needed while the pack is made, and {there} "
                f"has {megabytes(free)} free: make room, or choose another place with --out."
            )

    def refuse_too_much(self) -> None:
        """Raises CheckpointError for prompts that there is no memory, or no day, for.

        Weights of a whole model that find no room lie on the disk.
        """
        longest = max(self.selection.prompts, key=lambda prompt: len(prompt.ids))
        shorter = f"give shorter prompts, or fewer: {longest.name} has {len(longest.ids):,} tokens"
        needed, free = self._computing_bytes, free_memory()
        if needed > free:
            raise CheckpointError(
                f"About {megabytes(needed)} of memory are needed to compute this, and "
                f"{megabytes(free)} are free: {shorter}."
            )
        days = self._operations / _A_SECOND / 86_400
        if days > 1:
            raise CheckpointError(f"This would compute for about {days:,.0f} days: {shorter}.")

    @property
    def _computing_bytes(self) -> int:
        """What one layer and the logits take beside the weights of a model that is in memory."""
        weights = max(map(self._layer_bytes, self.layers_walked)) if self.streamed else 0
        # One layer at a time is widened to float64.
        c = self.checkpoint.family.shape
        numbers = self.checkpoint.family.layer_shapes(0).values()
        widest = 8 * sum(prod(shape) for shape in numbers)
        logits = 0
        if self.selection.to_the_logits:
            tokens = sum(len(prompt.ids) for prompt in self.selection.prompts)
            logits = c.vocab_size * (4 * tokens + 60 * len(self.selection.prompts))
        return weights + widest + logits + self._activation_bytes

    @property
    def _activation_bytes(self) -> int:
        """What computing a layer takes: twice in float32 for all prompts, twice in float64 for one.

        What the layer before gave is still there, to be written. Attention in float64 holds
        some squares more while it computes, and so does comparing.
        """
        c = self.checkpoint.family.shape
        numbers, squares = [], []
        for prompt in self.selection.prompts:
            count = len(prompt.ids)
            shapes = (activation_shape(c, name, count) for name in layer_names(0))
            numbers.append(sum(map(prod, shapes)))
            squares.append(c.num_attention_heads * count**2)
        return 3 * 4 * sum(numbers) + 2 * 8 * max(numbers) + _SQUARES * 8 * max(squares)

    @property
    def _operations(self) -> int:
        """Multiplications and additions; those in float64 count double."""
        c = self.checkpoint.family.shape
        a_token = 2 * sum(prod(shape) for shape in self.checkpoint.family.layer_shapes(0).values())
        layers = len(self.layers_walked)
        total = 0
        for prompt in self.selection.prompts:
            count = len(prompt.ids)
            pairs = 4 * c.num_attention_heads * c.head_dim * count**2
            total += layers * (a_token * count + pairs)
            if self.selection.to_the_logits:
                total += 2 * c.vocab_size * c.hidden_size * count
        return (2 + 2 * 2) * total

    # -- the pack ---------------------------------------------------------------

    @property
    def pack_bytes(self) -> int:
        """About what the pack will weigh: candidates that prompts share are counted twice."""
        return sum(self.pack_parts.values())

    @property
    def disk_bytes(self) -> int:
        """About how much lies on the disk at most: what every step found, whole, and the pack."""
        c, selection = self.checkpoint.family.shape, self.selection
        found = sum(self._kept_bytes(selection.layer_weights(n)) for n in selection.layers)
        for prompt in selection.prompts:
            count = len(prompt.ids)
            wanted = (name for name in selection.names() if selection.wanted(prompt.name, name))
            found += sum(4 * prod(activation_shape(c, name, count)) for name in wanted)
            streams = (4 + 8 + 4) * count * c.hidden_size  # in float32 twice, and in float64
            found += (len(self.layers_walked) + 2) * streams
        return self.pack_bytes + found

    @property
    def pack_parts(self) -> dict[str, int]:
        selection = self.selection
        layers = {
            f"layer {n}": self._kept_bytes(selection.layer_weights(n)) for n in selection.layers
        }
        names = sum(1 for _ in selection.names()) * len(selection.prompts)
        return {
            **layers,
            "outside the layers": self._kept_bytes(selection.outer_weights()),
            "activations": sum(selection.activation_bytes(p) for p in selection.prompts),
            "tokenizer and pack.json": len(self.tokenizer or b"") + names * _LINE,
        }

    def _kept_bytes(self, kept: Mapping[str, Kept | None]) -> int:
        selection, total = self.selection, 0
        vocabulary = len(selection.rows) + selection.candidates * len(selection.prompts)
        for name, part in kept.items():
            shape = list(self.checkpoint.tensors[name].shape)
            numbers = self.checkpoint.tensors[name].bytes
            for axis, indices in (part or {}).items():
                count = vocabulary if indices == ROWS else len(selection.lists[str(indices)])
                numbers = numbers * min(count, shape[axis]) // shape[axis]
            total += numbers
        return total

    # -- in words -----------------------------------------------------------------

    def describe(self) -> str:
        """The plan as a person reads it."""
        shape, selection = self.checkpoint.family.shape, self.selection
        origin = self.checkpoint.source.origin
        reads = {**self.reads, "the tokenizer": self.tokenizer_bytes}
        lines = [
            f"{foreign(str(origin['id']))}: {self.checkpoint.family.architecture}, "
            f"{self.checkpoint.parameters:,} parameters in {self.checkpoint.dtype}, "
            f"{megabytes(self.checkpoint.stored_bytes)}, {shape.num_hidden_layers} layers",
            *(
                f"beyond the kata's stages: {what} ({how})"
                for what, how in self.checkpoint.family.beyond.items()
            ),
            "",
            *(f"prompt {_prompt(prompt)}" for prompt in selection.prompts),
            "",
            f"reads     {megabytes(sum(reads.values())):>9}",
            *(f"          {megabytes(count):>9}  {what}" for what, count in reads.items()),
            f"memory    {megabytes(self.memory):>9}  at most, about",
            f"disk      {megabytes(self.disk_bytes):>9}  at most, about, while the pack is made",
            f"pack      {megabytes(self.pack_bytes):>9}  about"
            + (", a slice" if selection.sliced else ""),
            *(
                f"          {megabytes(count):>9}  {what}"
                for what, count in self.pack_parts.items()
            ),
        ]
        if not selection.to_the_logits:
            lines.append(f"stops after layer {selection.until}: no logits")
        return "\n".join(lines)


def _sum(tensors: Mapping[str, Stored], names: Iterable[str]) -> int:
    return sum(tensors[name].bytes for name in names)


def megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"


def _layers(walked: range) -> str:
    return "layer 0" if len(walked) == 1 else f"layers 0 to {walked[-1]}"


def _prompt(prompt: Prompt) -> str:
    return f"{prompt.name}: {len(prompt.ids)} tokens, “{foreign(prompt.text)}”"
