"""Write packs; pack.py says what one is and reads it.

The same tensors give the same files, byte for byte: safetensors sorts them by
name and no metadata goes in. Only pack.json may differ from one capture to the
next, in its date and versions.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from token_journey.errors import PackError
from token_journey.files import replacing, sha256_of
from token_journey.llama.config import ModelConfig
from token_journey.packs.manifest import (
    ACTIVATIONS,
    APART,
    FORMAT,
    MANIFEST,
    SEAL,
    WEIGHTS,
    Generation,
    Kept,
    Prompt,
    seal,
)

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Captured:
    """One activation in float32, without batch axis, and its two tolerances."""

    value: Tensor
    tolerance: float
    end_to_end: float


class PackWriter:
    """Collects what a pack is to hold; `write` writes it at once.

    `model` says whose numbers these are (id, revision, license, source and the
    SHA-256 of its files), `captured` how they came about (command, device,
    dtype, versions, date), and `more` holds the manifest's further keys.
    """

    def __init__(
        self,
        name: str,
        title: str,
        config: ModelConfig,
        model: Mapping[str, Any],
        captured: Mapping[str, Any],
        index_lists: Mapping[str, Sequence[int]] | None = None,
        more: Mapping[str, Any] | None = None,
    ):
        self.name = name
        self._head = {
            "format": FORMAT,
            "name": name,
            "title": title,
            "model": dict(model),
            "config": asdict(config),
            "captured": dict(captured),
        }
        self._lists = {key: list(indices) for key, indices in (index_lists or {}).items()}
        self._more = dict(more or {})
        self._prompts: list[dict[str, Any]] = []
        self._generations: list[dict[str, Any]] = []
        self._activations: dict[str, dict[str, Any]] = {}
        self._weights: dict[str, dict[str, Any]] = {}
        self._apart: dict[str, dict[str, Any]] = {}
        self._tensors: dict[str, dict[str, Tensor]] = {ACTIVATIONS: {}, WEIGHTS: {}, APART: {}}
        self._copies: dict[str, bytes] = {}
        self._tokenizer: dict[str, Any] | None = None

    def add_prompt(self, prompt: Prompt) -> None:
        self._prompts.append(asdict(prompt))

    def add_generation(self, generation: Generation) -> None:
        self._generations.append(asdict(generation))

    def add_activation(
        self,
        prompt: str,
        name: str,
        stored: Tensor,
        tolerance: float,
        end_to_end: float,
        visible: Kept | None = None,
    ) -> None:
        """Add a tensor without batch axis, or the `visible` part of one."""
        key = f"{prompt}/{name}"
        self._tensors[ACTIVATIONS][key] = stored
        self._activations[key] = {
            "tolerance": tolerance,
            "end_to_end": end_to_end,
            **_visible(visible),
        }

    def add_captured(
        self,
        prompt: str,
        captured: Mapping[str, Captured],
        wanted: Callable[[str], bool] = lambda name: True,
        keep: Mapping[str, Kept] | None = None,
    ) -> None:
        """Add what `capture` found of a prompt, numbers that have two names once.

        wanted: which activations to store, by name; all if not given
        keep:   by name, the part of an activation to store
        """
        for name, found in captured.items():
            other = _same_numbers(name)
            if other in captured and wanted(other):
                self.add_alias(prompt, name, other)
            elif wanted(name):
                part = (keep or {}).get(name)
                value = self.cut(found.value, part)
                self.add_activation(prompt, name, value, found.tolerance, found.end_to_end, part)

    def add_alias(self, prompt: str, name: str, other: str) -> None:
        """Add a second name for the numbers of the prompt's activation `other`."""
        self._activations[f"{prompt}/{name}"] = {"alias": f"{prompt}/{other}"}

    def add_weight(
        self, name: str, stored: Tensor, tolerance: float = 0.0, visible: Kept | None = None
    ) -> None:
        """Add a weight, or the `visible` part of one."""
        self._tensors[WEIGHTS][name] = stored
        self._weights[name] = {
            **({"tolerance": tolerance} if tolerance else {}),
            **_visible(visible),
        }

    def add_group_apart(self, group: str, why: str, **more: Any) -> None:
        """Begin a group of records that are not the model's; `more` goes beside its `why`."""
        self._apart[group] = {"why": why, **more, "tensors": {}}

    def add_apart(
        self, group: str, name: str, stored: Tensor, tolerance: float, visible: Kept | None = None
    ) -> None:
        """Add a record, or the `visible` part of one, to a group apart."""
        self._tensors[APART][f"{group}/{name}"] = stored
        self._apart[group]["tensors"][name] = {"tolerance": tolerance, **_visible(visible)}

    def add_file(self, name: str, content: bytes) -> None:
        """Add a file that goes into the pack as it is."""
        self._copies[name] = content

    def add_tokenizer(self, content: bytes, **more: Any) -> None:
        """Add a tokenizer.json; `more` says what a reader should know: `begin_token`, a note."""
        self.add_file("tokenizer.json", content)
        self._tokenizer = {"file": "tokenizer.json", **more}

    def write(self, folder: Path) -> None:
        """Write the pack to `folder`, in place of the pack that is there, if one is.

        Raises PackError where something else is there, or it can't be written.
        """
        refuse_to_replace_others(folder, {MANIFEST, SEAL, *self._tensors, *self._copies})
        with writing(folder), replacing(folder) as fresh:
            self._write_files(fresh)

    def _write_files(self, folder: Path) -> None:
        from safetensors.torch import save_file

        for file, content in self._copies.items():
            (folder / file).write_bytes(content)
        for file, tensors in self._tensors.items():
            if tensors:
                whole = {name: tensors[name].contiguous() for name in sorted(tensors)}
                save_file(whole, folder / file)
                # save_file writes for its user alone; a pack is for whoever may see the folder.
                (folder / file).chmod(folder.stat().st_mode & 0o666)
        manifest = {
            **self._head,
            "files": {path.name: _described(path) for path in sorted(folder.iterdir())},
            "tokenizer": self._tokenizer,
            **self._more,
            **({"index_lists": self._lists} if self._lists else {}),
            "prompts": self._prompts,
            "generations": self._generations,
            "weights": self._weights,
            "activations": self._activations,
            **({"apart": self._apart} if self._apart else {}),
        }
        (folder / MANIFEST).write_text(to_json(manifest) + "\n", encoding="utf-8")
        seal(folder)

    def cut(self, whole: Tensor, keep: Kept | None) -> Tensor:
        """The part of a tensor that is to be stored; all of it where `keep` is None."""
        import torch

        for axis, kept in (keep or {}).items():
            indices = self._lists[kept] if isinstance(kept, str) else list(kept)
            whole = whole.index_select(axis, torch.tensor(indices))
        return whole


def _visible(kept: Kept | None) -> dict[str, Any]:
    """An entry's `visible`, if it has one; JSON's keys are strings."""
    if not kept:
        return {}
    indices = {str(axis): k if isinstance(k, str) else list(k) for axis, k in kept.items()}
    return {"visible": indices}


def _same_numbers(name: str) -> str:
    """The other name of the same numbers, if there is one: what enters a layer left the last."""
    entering = re.fullmatch(r"blocks\.(\d+)\.resid_pre", name)
    if not entering:
        return ""
    layer = int(entering[1])
    return f"blocks.{layer - 1}.resid_post" if layer else "embed"


def to_json(value: Any, indent: str = "") -> str:
    """JSON for people: an object a line, and what is small enough on one line."""
    flat = json.dumps(value, ensure_ascii=False)
    plain = isinstance(value, list) and not any(isinstance(item, list | dict) for item in value)
    if not isinstance(value, list | dict) or plain or len(indent) + len(flat) <= 100:
        return flat
    deeper = indent + "  "
    if isinstance(value, dict):
        items = [
            f"{json.dumps(key, ensure_ascii=False)}: {to_json(item, deeper)}"
            for key, item in value.items()
        ]
        opening, closing = "{", "}"
    else:
        items = [to_json(item, deeper) for item in value]
        opening, closing = "[", "]"
    body = ",\n".join(deeper + item for item in items)
    return f"{opening}\n{body}\n{indent}{closing}"


def _described(path: Path) -> dict[str, Any]:
    return {"sha256": sha256_of(path), "bytes": path.stat().st_size}


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """A block that writes to a folder. Raises PackError where that can't be done."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:  # a full disk is either, by who wrote
        why = getattr(error, "strerror", None) or error
        raise PackError(
            f"{folder} can't be written ({why}): make room, or choose another place with --out."
        ) from None


def refuse_what_is_out_of_reach(folder: Path) -> None:
    """Raises PackError, before any work is done, where no folder can be made."""
    there = next(parent for parent in folder.absolute().parents if parent.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise PackError(f"Nothing can be written to {there}: choose another place with --out.")


def refuse_to_replace_others(folder: Path, ours: Collection[str] = ()) -> None:
    """Raises PackError where `folder` holds something that is no pack of ours."""
    if not folder.exists():
        return
    others = [] if not folder.is_dir() else sorted({p.name for p in folder.iterdir()} - {*ours})
    if not folder.is_dir() or (others and not (folder / MANIFEST).is_file()):
        raise PackError(f"{folder} is there already and is no pack: choose another folder.")
