"""Packs: what a real model computed, in a folder.

A pack is `pack.json` beside safetensors files. `pack.json` says which model
and which prompts, on what it was computed, and how far a correct answer may
lie from each activation; the safetensors hold activations
(`<prompt>/<activation>`) and weights (Hugging Face names). Nothing is pickled.
A pack that is damaged or absurd is refused when it is opened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from token_journey.packs.inspection import inspect
from token_journey.packs.manifest import (
    ACTIVATIONS,
    APART,
    WEIGHTS,
    Entry,
    damaged,
    read_manifest,
)

if TYPE_CHECKING:
    from torch import Tensor

    from token_journey.llama.vocabulary import Vocabulary


class Original:
    """Which tensor of a pack another is a fresh copy of; a copy of a copy is of none."""

    def __reduce__(self) -> tuple[Any, ...]:
        return type(None), ()


class Pack:
    """An opened pack. Tensors are read when asked for, and handed out as copies."""

    def __init__(self, folder: Path):
        """Raises PackError, in one sentence, for what is no whole and sound pack."""
        self.folder = Path(folder)
        manifest = read_manifest(self.folder)
        inspect(self.folder, manifest)
        self.manifest = manifest.said
        self.name: str = self.manifest["name"]
        self.title: str = self.manifest["title"]
        self.config = manifest.config
        self.prompts = manifest.prompts
        self.generations = manifest.generations
        self.index_lists = manifest.index_lists
        self._activations = manifest.activations
        self._weights = manifest.weights
        self._apart = manifest.apart
        self._opened: dict[str, dict[str, Tensor]] = {}
        self._originals: defaultdict[str, Original] = defaultdict(Original)

    def __repr__(self) -> str:
        return f"Pack({self.name!r})"

    # -- what is here ---------------------------------------------------------

    @property
    def held_back(self) -> bool:
        """Whether its expected values are not to be shown to the person graded."""
        return bool(self.manifest.get("held_back", False))

    @property
    def model(self) -> Mapping[str, Any]:
        """Whose numbers these are: `id`, `revision`, and where they come from."""
        model: Mapping[str, Any] = self.manifest["model"]
        return model

    @property
    def source_is_print(self) -> bool:
        """Whether its numbers were printed somewhere, and no model was run for them."""
        return "precision" in self.manifest["captured"]

    @property
    def beyond(self) -> Mapping[str, str]:
        """In what the model goes beyond the kata's stages, e.g. {"scaled RoPE": "llama3, …"}."""
        beyond: Mapping[str, str] = self.manifest.get("beyond", {})
        return beyond

    @cached_property
    def layers(self) -> tuple[int, ...]:
        """Layers of which at least one whole weight is here, first to last."""
        found = {
            int(name.split(".")[2])
            for name, entry in self._weights.items()
            if name.startswith("model.layers.") and entry.complete
        }
        return tuple(sorted(found))

    def has_activation(self, prompt: str, name: str) -> bool:
        return f"{prompt}/{name}" in self._activations

    def has_weight(self, name: str) -> bool:
        return name in self._weights

    def activation_names(self, prompt: str) -> Iterator[str]:
        head = f"{prompt}/"
        return (n.removeprefix(head) for n in self._activations if n.startswith(head))

    def weight_names(self) -> Iterator[str]:
        return iter(self._weights)

    def activation_entry(self, prompt: str, name: str) -> Entry:
        return self._activations[f"{prompt}/{name}"]

    def weight_entry(self, name: str) -> Entry:
        return self._weights[name]

    @property
    def apart_names(self) -> tuple[str, ...]:
        """Records kept beside the model's but not its own, e.g. `wrong_residual/mlp.gate`."""
        return tuple(self._apart)

    def apart_entry(self, name: str) -> Entry:
        return self._apart[name]

    def why_apart(self, name: str) -> str:
        """Why a record is not the model's."""
        why: str = self.manifest["apart"][name.partition("/")[0]]["why"]
        return why

    # -- what it holds --------------------------------------------------------

    def activation(self, prompt: str, name: str) -> Tensor:
        """A fresh copy of an activation, at the dtype it was captured in."""
        name = f"{prompt}/{name}"
        return self._copied(name, self._tensor(ACTIVATIONS, self._activations[name]).clone())

    def apart(self, name: str) -> Tensor:
        """A fresh copy of a record that is not the model's; `why_apart` says why."""
        return self._tensor(APART, self._apart[name]).clone()

    def weight(self, name: str) -> Tensor:
        """A fresh copy of a weight in float32, whatever it is stored in."""
        stored = self._tensor(WEIGHTS, self._weights[name])
        wide = stored.float()
        return self._copied(name, stored.clone() if wide is stored else wide)

    def _copied(self, name: str, copy: Tensor) -> Tensor:
        """The same, which says what it is a copy of, for all unchanged ones of that are equal."""
        copy.copy_of = self._originals[name]  # type: ignore[attr-defined]
        return copy

    def layer_weights(self, layer: int) -> dict[str, Tensor]:
        """One layer's weights, named as they are inside the layer.

        `self_attn.q_proj.weight` rather than `model.layers.0.self_attn.q_proj.weight`.
        """
        prefix = f"model.layers.{layer}."
        return {
            name.removeprefix(prefix): self.weight(name)
            for name in self._weights
            if name.startswith(prefix)
        }

    def all_weights(self) -> dict[str, Tensor]:
        return {name: self.weight(name) for name in self._weights}

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The tokenizer's vocabulary and merges, as bytes."""
        from token_journey.llama.vocabulary import Vocabulary

        file = self.folder / self.manifest["tokenizer"]["file"]
        return Vocabulary.from_tokenizer_json(file.read_text(encoding="utf-8"))

    @property
    def begin_token(self) -> int | None:
        """The id that the tokenizer puts before every text, if it does."""
        token: int | None = self.manifest["tokenizer"].get("begin_token")
        return token

    def completed_by(self, checkpoint: Path) -> Pack:
        """This pack with all the weights of a checkpoint that it is a slice of.

        checkpoint: a safetensors file
        """
        from safetensors.torch import load_file

        whole = Pack(self.folder)
        tensors = load_file(checkpoint)
        whole._opened[WEIGHTS] = tensors
        whole._weights = {name: Entry(stored_as=name) for name in tensors}
        return whole

    @property
    def has_vocabulary(self) -> bool:
        return self.manifest.get("tokenizer") is not None

    # -- reading --------------------------------------------------------------

    def load(self) -> None:
        """Read now what is otherwise read when it is asked for."""
        for file, entries in ((WEIGHTS, self._weights), (ACTIVATIONS, self._activations)):
            for entry in entries.values():
                self._tensor(file, entry)
        if self.has_vocabulary:
            _ = self.vocabulary

    def _tensor(self, file: str, entry: Entry) -> Tensor:
        if file not in self._opened:
            self._opened[file] = self._load(file)
        return self._opened[file][entry.stored_as]

    def _load(self, file: str) -> dict[str, Tensor]:
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        path = self.folder / file
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise damaged(path, str(error)) from None


def find_packs(folder: Path) -> list[Path]:
    """The pack folders directly inside `folder`, by name; one that lost its pack.json is one."""
    if not folder.is_dir():
        return []
    inside = (p for p in folder.iterdir() if p.is_dir() and p.name[0] not in "._")
    return sorted(p for p in inside if any(p.iterdir()))
