"""Is every file of a pack the one that was captured, and does it hold what pack.json says?

A pack that was found whole is not looked at again until one of its files changes: a
note in the user's cache says of which files that was, by size and time stamps.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from token_journey.files import cache_folder, sha256_of, write_whole
from token_journey.packs.manifest import (
    ACTIVATIONS,
    MANIFEST,
    SEAL,
    WEIGHTS,
    Entry,
    Manifest,
    damaged,
)

if TYPE_CHECKING:
    from torch import Tensor

# A smaller pack is looked at in no time.
_WORTH_A_NOTE = 2**20
# Nanoseconds after which another change is sure to have another time stamp.
_SETTLED = 2 * 10**9

# How many float32 roundings of the largest number a tolerance may be; honest ones of real
# models come to 3,000. Of numbers that were printed, how much printing may have taken away.
_ROUNDINGS, _PRINTED = 2**16, 0.0005

_MINUS_INFINITY = re.compile(r"blocks\.\d+\.attn\.scores|warped\..*")
_BLOCK = re.compile(r"blocks\.(\d+)\.")
_WEIGHT = re.compile(
    r"(?:model\.(?:embed_tokens|norm|layers\.(\d+)\.(?:self_attn\.[qkvo]_proj"
    r"|mlp\.(?:gate|up|down)_proj|(?:input|post_attention)_layernorm))|lm_head)\.(?:weight|bias)"
)


def inspect(folder: Path, manifest: Manifest) -> None:
    """Raises PackError where a file is missing, another one, or holds what it can't."""
    _refuse_what_is_not_listed(folder, manifest)
    stamps = {name: _stamp(folder / name) for name in (MANIFEST, SEAL, *manifest.files)}
    note = _Note(folder, stamps)
    if note.is_there():
        return
    for name, facts in manifest.files.items():
        _refuse_another_file(folder / name, facts.bytes, facts.sha256)
    if manifest.tokenizer is not None:
        _read_tokenizer(folder / manifest.tokenizer, manifest)
    for name, entries in manifest.by_file.items():
        if entries:
            _Tensors(folder / name, manifest).refuse_nonsense(entries)
    note.leave()


def _refuse_what_is_not_listed(folder: Path, manifest: Manifest) -> None:
    needed = [file for file, entries in manifest.by_file.items() if entries]
    if manifest.tokenizer is not None:
        needed.append(manifest.tokenizer)
    for file in needed:
        if file not in manifest.files:
            raise damaged(folder / MANIFEST, f"it does not list {file}")


def _stamp(path: Path) -> os.stat_result:
    try:
        found = path.stat()
    except OSError:
        raise damaged(path, "the file is not there") from None
    if not stat.S_ISREG(found.st_mode):
        raise damaged(path, "it is no file")
    return found


def _refuse_another_file(path: Path, size: int, sha256: str) -> None:
    try:
        same = path.stat().st_size == size and sha256_of(path) == sha256
    except OSError as error:
        raise damaged(path, error.strerror or "it can't be read") from None
    if not same:
        raise damaged(path, "its SHA-256 is not the recorded one")


def _read_tokenizer(path: Path, manifest: Manifest) -> None:
    from token_journey.llama.vocabulary import Vocabulary

    try:
        vocabulary = Vocabulary.from_tokenizer_json(path.read_text(encoding="utf-8"))
        unknown = {i for p in manifest.prompts.values() if p.words for i in p.ids}
        unknown -= vocabulary.id_to_bytes.keys()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(path, f"no tokenizer that can be read: {error!r}") from None
    if unknown:
        raise damaged(path, f"it does not know token {min(unknown)}")


class _Tensors:
    """A safetensors file, held against what the manifest says of it."""

    def __init__(self, path: Path, manifest: Manifest):
        self._path = path
        self._manifest = manifest

    def refuse_nonsense(self, entries: Mapping[str, Entry]) -> None:
        """Raises PackError."""
        from safetensors import SafetensorError, safe_open

        opened: Any = safe_open  # has no types
        try:
            with opened(self._path, "pt") as file:
                stored = {entry.stored_as for entry in entries.values()}
                names = set(file.keys())
                for name in sorted(stored - names):
                    raise damaged(self._path, f"{name} is missing")
                for name in sorted(names - stored):
                    raise damaged(self._path, f"{name} is not described")
                largest = {name: self._numbers(name, file.get_tensor(name)) for name in names}
                shapes = {name: file.get_slice(name).get_shape() for name in names}
        except (SafetensorError, OSError) as error:
            raise damaged(self._path, str(error)) from None
        for name, entry in entries.items():
            self._refuse_another_shape(name, entry, shapes[entry.stored_as])
            self._refuse_wide_tolerances(name, entry, largest)

    def _numbers(self, name: str, tensor: Tensor) -> float:
        """The largest finite number. Raises PackError for NaN and infinity."""
        import torch

        few = [torch.float32]
        few += [torch.bfloat16, torch.float16] if self._path.name == WEIGHTS else []
        if tensor.dtype not in few:
            raise damaged(self._path, f"{name} is stored as {tensor.dtype}")
        finite = tensor.isfinite()
        if not bool(finite.all()):
            if bool(tensor.isnan().any()):
                raise damaged(self._path, f"{name} holds NaN")
            masked = _MINUS_INFINITY.fullmatch(name.partition("/")[2])
            if not masked or bool((tensor == torch.inf).any()):
                raise damaged(self._path, f"{name} holds infinity")
            tensor = tensor[finite]
        return float(tensor.abs().max()) if tensor.numel() else 0.0

    def _refuse_another_shape(self, name: str, entry: Entry, found: list[int]) -> None:
        if self._path.name not in (WEIGHTS, ACTIVATIONS):
            return  # a record apart may have any name
        try:
            shape = self._whole_shape(name)
            for axis, indices in entry.visible.items():
                if max(indices) >= shape[axis]:
                    raise damaged(self._path, f"{name} names places beyond its end")
                shape[axis] = len(indices)
        except (KeyError, IndexError, ValueError):
            raise damaged(self._path, f"{name} is no name of a tensor") from None
        if list(found) != shape:
            raise damaged(self._path, f"{name} does not have the shape {shape}")

    def _whole_shape(self, name: str) -> list[int]:
        """Raises KeyError, ValueError for a name that no tensor has."""
        from token_journey.llama.shapes import activation_shape, weight_shape

        config = self._manifest.config
        prompt, _, activation = name.partition("/")
        weights = self._path.name == WEIGHTS
        named = _WEIGHT.fullmatch(name) if weights else _BLOCK.match(activation)
        if (weights and not named) or (
            named and named[1] and int(named[1]) >= config.num_hidden_layers
        ):
            raise KeyError(name)
        if weights:
            return weight_shape(config, name)
        return activation_shape(config, activation, len(self._manifest.prompts[prompt].ids))

    def _refuse_wide_tolerances(
        self, name: str, entry: Entry, largest: Mapping[str, float]
    ) -> None:
        """Of a part of a tensor, the largest number of all tensors of its prompt counts."""
        prompt = name.partition("/")[0]
        beside = (x for other, x in largest.items() if other.partition("/")[0] == prompt)
        most = largest[entry.stored_as] if entry.complete else max(beside)
        allowed = _ROUNDINGS * 2**-24 * (most or 1.0)
        if "precision" in self._manifest.said["captured"]:
            allowed = max(allowed, _PRINTED)
        if max(entry.tolerance, entry.end_to_end) > allowed:
            raise damaged(self._path, f"{name} has a tolerance that nothing explains")


class _Note:
    """That a pack was found whole, in the user's cache, for these files and this kit."""

    def __init__(self, folder: Path, stamps: Mapping[str, os.stat_result]):
        self._stamps = stamps
        said = [str(folder.resolve()), *(_told(name, found) for name, found in stamps.items())]
        said.append(_told("kit", Path(__file__).stat()))
        said.append(_told("kit", Path(__file__).with_name("manifest.py").stat()))
        self._content = hashlib.sha256("\0".join(said).encode(errors="replace")).hexdigest()
        named = hashlib.sha256(said[0].encode(errors="replace")).hexdigest()[:32]
        self._path = cache_folder() / "packs-found-whole" / named

    def is_there(self) -> bool:
        try:
            return self._path.read_text(encoding="utf-8") == self._content
        except (OSError, ValueError):
            return False

    def leave(self) -> None:
        """Nothing is lost where that can't be done, but time."""
        changed = max(max(s.st_mtime_ns, s.st_ctime_ns) for s in self._stamps.values())
        large = sum(s.st_size for s in self._stamps.values()) >= _WORTH_A_NOTE
        if large and time.time_ns() - changed > _SETTLED:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(self._path, self._content.encode())
            except OSError:
                pass


def _told(name: str, found: os.stat_result) -> str:
    return f"{name} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"
