"""Packs: what a real model computed, in a folder.

A pack is `pack.json` beside safetensors files. `pack.json` says which model
and which prompts, on what it was computed, and how far a correct answer may
lie from each activation; the safetensors hold activations
(`<prompt>/<activation>`) and weights (Hugging Face names). Nothing is pickled.
Every file's SHA-256 is checked before it is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from token_journey.errors import PackError
from token_journey.files import sha256_of
from token_journey.llama.config import ModelConfig
from token_journey.packs.manifest import (
    ACTIVATIONS,
    APART,
    MANIFEST,
    WEIGHTS,
    Entry,
    Generation,
    Prompt,
    damaged,
    entries,
    read_manifest,
)

if TYPE_CHECKING:
    from torch import Tensor

    from token_journey.llama.vocabulary import Vocabulary


class Pack:
    """An opened pack. Tensors are read when asked for, and handed out as copies."""

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        self.manifest = read_manifest(self.folder)
        try:
            self.name: str = self.manifest["name"]
            self.title: str = self.manifest["title"]
            self.config = ModelConfig(**self.manifest["config"])
            self.prompts = {
                p["name"]: Prompt(
                    p["name"],
                    p["text"],
                    tuple(p["ids"]),
                    tuple(p["pieces"]),
                    tuple(p.get("words", ())),
                    p.get("start", 0),
                )
                for p in self.manifest["prompts"]
            }
            self.index_lists: dict[str, list[int]] = self.manifest.get("index_lists", {})
            lists = self.index_lists
            self._activations = entries(self.manifest["activations"], lists)
            self._weights = entries(self.manifest["weights"], lists)
            self._apart = {
                f"{group}/{name}": entry
                for group, about in self.manifest.get("apart", {}).items()
                for name, entry in entries(about["tensors"], lists, f"{group}/").items()
            }
            self._files: dict[str, str] = {
                name: about["sha256"] for name, about in self.manifest["files"].items()
            }
            self._refuse_nonsense()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise PackError(
                f"{self.folder / MANIFEST} is not a pack's description ({error!r}): "
                "restore it with `git checkout packs` or capture the pack again."
            ) from None
        self._opened: dict[str, dict[str, Tensor]] = {}

    def _refuse_nonsense(self) -> None:
        """Raises ValueError for a description that no capture writes."""
        tokenizer = self.manifest.get("tokenizer") or {}
        for file in [*self._files, *([tokenizer["file"]] if tokenizer else [])]:
            if set("/\\\0") & set(file) or file in ("", ".", ".."):
                raise ValueError(f"{file!r} is no name of a file")
        sizes = [value for value in vars(self.config).values() if type(value) is int]
        if len(sizes) < 7 or not all(0 < size < 2**31 for size in sizes):
            raise ValueError("config holds what are no sizes")
        for prompt in self.prompts.values():
            if not all(type(i) is int and 0 <= i < self.config.vocab_size for i in prompt.ids):
                raise ValueError(f"prompt {prompt.name!r} has ids that are none")
        for entry in (*self._activations.values(), *self._weights.values()):
            for indices in entry.visible.values():
                if any(type(i) is not int or i < 0 for i in indices):
                    raise ValueError(f"{entry.stored_as!r} names places that are none")

    def __repr__(self) -> str:
        return f"Pack({self.name!r})"

    # -- what is here ---------------------------------------------------------

    @property
    def generations(self) -> list[Generation]:
        """Greedy continuations, as transformers' `generate` gave them."""
        return [Generation(**g) for g in self.manifest.get("generations", ())]

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
        return self._tensor(ACTIVATIONS, self._activations[f"{prompt}/{name}"]).clone()

    def apart(self, name: str) -> Tensor:
        """A fresh copy of a record that is not the model's; `why_apart` says why."""
        return self._tensor(APART, self._apart[name]).clone()

    def weight(self, name: str) -> Tensor:
        """A fresh copy of a weight in float32, whatever it is stored in."""
        stored = self._tensor(WEIGHTS, self._weights[name])
        return stored.float() if stored.dtype != stored.float().dtype else stored.clone()

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

        name = self.manifest["tokenizer"]["file"]
        return Vocabulary.from_tokenizer_json(self._verified(name).read_text(encoding="utf-8"))

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

    def _tensor(self, file: str, entry: Entry) -> Tensor:
        if file not in self._opened:
            self._opened[file] = self._load(file)
        return self._opened[file][entry.stored_as]

    def _load(self, file: str) -> dict[str, Tensor]:
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        path = self._verified(file)
        try:
            tensors = load_file(path)
        except (SafetensorError, OSError) as error:
            raise PackError(damaged(path, str(error))) from None
        described = {ACTIVATIONS: self._activations, WEIGHTS: self._weights, APART: self._apart}
        wanted = {entry.stored_as for entry in described[file].values()}
        missing = sorted(wanted - set(tensors))
        if missing:
            raise PackError(damaged(path, f"{missing[0]} is missing"))
        for name, tensor in tensors.items():
            if bool(tensor.isnan().any()):
                raise PackError(damaged(path, f"{name} holds NaN"))
        if file != APART:
            self._check_shapes(path, described[file], tensors)
        return tensors

    def _check_shapes(
        self, path: Path, entries: Mapping[str, Entry], tensors: Mapping[str, Tensor]
    ) -> None:
        """Raises PackError where a tensor is not what the configuration makes of its name."""
        from token_journey.llama.shapes import activation_shape, weight_shape

        for name, entry in entries.items():
            try:
                if path.name == WEIGHTS:
                    shape = weight_shape(self.config, name)
                else:
                    prompt, _, activation = name.partition("/")
                    tokens = len(self.prompts[prompt].ids)
                    shape = activation_shape(self.config, activation, tokens)
                for axis, indices in entry.visible.items():
                    if indices and max(indices) >= shape[axis]:
                        raise PackError(damaged(path, f"{name} names places beyond its end"))
                    shape[axis] = len(indices)
            except (KeyError, IndexError, ValueError):
                raise PackError(damaged(path, f"{name} is no name of a tensor")) from None
            if list(tensors[entry.stored_as].shape) != shape:
                raise PackError(damaged(path, f"{name} does not have the shape {shape}"))

    def _verified(self, file: str) -> Path:
        path = self.folder / file
        if file not in self._files:
            raise PackError(
                f"{self.folder / MANIFEST} does not list {file}: capture the pack again."
            )
        try:
            found = sha256_of(path)
        except OSError:
            raise PackError(damaged(path, "the file is not there")) from None
        if found != self._files[file]:
            raise PackError(damaged(path, "its SHA-256 is not the recorded one"))
        return path


def find_packs(folder: Path) -> list[Path]:
    """The pack folders directly inside `folder`, by name."""
    if not folder.is_dir():
        return []
    return sorted(p.parent for p in folder.glob(f"*/{MANIFEST}"))
