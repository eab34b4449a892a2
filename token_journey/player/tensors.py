"""The tensors that both ends know, by name, so that each crosses once and stays the same one.

The bytes of a storage cross when it is first named, and again when they changed; a tensor is a
view of a storage. Those of a pack cross once to each player, for a copy says whose it is. What the
judge has forgotten, the player is told to forget.
"""

from __future__ import annotations

import itertools
import weakref
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import increment_version

from token_journey.foreign import shown
from token_journey.player.protocol import (
    DTYPES,
    MOST_BYTES,
    NotData,
    Parcel,
    flat,
    in_c,
    is_size,
)

_MOST_KEPT = 1 << 30  # of copies of a pack's tensors, which cross once
# So small that a change which torch didn't count is looked for, too.
_LOOKED_THROUGH = 1 << 16
_MOST_AXES, _LONGEST_NAME = 32, 100


@dataclass
class _About:
    storage: str
    version: int
    requires_grad: bool


class Tensors:
    """One end's names. `weak`: it lets go of tensors when nobody else holds them."""

    def __init__(self, mine: str, weak: bool):
        self._mine, self._weak = mine, weak
        self._numbers = itertools.count()
        self._refs: dict[str, Callable[[], Tensor | None]] = {}
        self._about: dict[str, _About] = {}
        self._names: dict[int, str] = {}
        self._storages: dict[str, torch.UntypedStorage] = {}
        self._by_pointer: dict[int, str] = {}
        self._users: Counter[str] = Counter()
        self._sums: dict[str, int] = {}
        self._keys: dict[str, str] = {}  # storage -> its bytes' key
        self._kept: dict[str, torch.UntypedStorage] = {}  # the player's: key -> storage
        self._sent: dict[Any, str] = {}  # the judge's: whose copies the player keeps -> their key
        self._sent_bytes = 0
        self._new: list[Any] = []
        self.dead: list[str] = []
        self._lost: list[str] = []
        # The judge's: what it handed to a stage, what of that a stage changed, and what other
        # storages held that were its own.
        self.protected: set[str] = set()
        self.violated: set[str] = set()
        self.before: list[tuple[str, Tensor]] = []

    # -- going out ------------------------------------------------------------

    def node(self, tensor: Tensor, grad: int, parcel: Parcel) -> list[Any]:
        """What stands for a dense tensor in a frame."""
        plain = _plain(tensor)
        storage = self._storage(plain, parcel)
        name = f"{self._mine}{next(self._numbers)}"
        self.remember(name, tensor, storage)
        kind = str(plain.dtype).removeprefix("torch.")
        about = [kind, list(plain.shape), list(plain.stride()), plain.storage_offset()]
        called = "" if type(tensor) is Tensor else type(tensor).__name__
        return ["T", name, storage, *about, grad, called]

    def known_as(self, tensor: Tensor) -> str | None:
        """The name by which the other end knows it just as it is."""
        name = self.name_of(tensor)
        if name is None or self._about[name].requires_grad != tensor.requires_grad:
            return None
        return name

    def name_of(self, tensor: Tensor) -> str | None:
        name = self._names.get(id(tensor))
        return name if name is not None and self._refs[name]() is tensor else None

    def _storage(self, tensor: Tensor, parcel: Parcel) -> str:
        storage = tensor.untyped_storage()
        name = self._by_pointer.get(storage._cdata)
        if name is not None:
            return name
        name = f"{self._mine}s{next(self._numbers)}"
        self._hold(name, storage)
        self._new.append([name, *self._source(tensor, storage, parcel)])
        return name

    def _source(
        self, tensor: Tensor, storage: torch.UntypedStorage, parcel: Parcel
    ) -> list[int | str | None]:
        """[the bytes' place in the frame or None, what the player keeps them by or None]"""
        copy_of = None if _version(tensor) else getattr(tensor, "copy_of", None)
        if not self._weak or copy_of is None:
            return [parcel.add(storage), None]
        if copy_of in self._sent:
            return [None, self._sent[copy_of]]
        self._sent_bytes += storage.nbytes()
        if self._sent_bytes > _MOST_KEPT:
            return [parcel.add(storage), None]
        key = self._sent[copy_of] = f"{self._mine}k{next(self._numbers)}"
        return [parcel.add(storage), key]

    def news(self, parcel: Parcel, whole: bool) -> dict[str, Any]:
        """What the other end must know before it reads the values of a frame.

        whole: look also at what the other end gave for changes that torch did not count
        """
        fields = {"changed": self._changes(parcel, whole), "dead": self.dead, "lost": self._lost}
        fields["new"], self._new = self._new, []
        self.dead, self._lost = [], []
        return {name: value for name, value in fields.items() if value}

    def _changes(self, parcel: Parcel, whole: bool) -> list[Any]:
        """[storage, the place of its bytes, the tensors whose version went on], for each."""
        fresh = {name for name, *_ in self._new}
        bumped: dict[str, list[str]] = {}
        for name, about in list(self._about.items()):
            tensor = self._refs[name]()
            if tensor is not None and _version(tensor) != about.version:
                about.version = _version(tensor)
                bumped.setdefault(about.storage, []).append(name)
        for storage, known in self._sums.items():
            looked_at = whole or storage.startswith(self._mine)
            if looked_at and _sum(self._storages[storage]) != known:
                bumped.setdefault(storage, [])
        return [self._changed(s, names, parcel) for s, names in bumped.items() if s not in fresh]

    def _changed(self, storage: str, names: list[str], parcel: Parcel) -> list[Any]:
        self._note(storage)
        if storage in self._keys:
            key = self._keys.pop(storage)
            self._kept.pop(key, None)
            self._lost.append(key)
        return [storage, parcel.add(self._storages[storage]), names]

    # -- coming in ------------------------------------------------------------

    def take(self, fields: dict[str, Any], blobs: list[torch.UntypedStorage]) -> None:
        """Read another end's news."""
        if lost := fields.get("lost"):
            self._sent = {copy: key for copy, key in self._sent.items() if key not in lost}
        for name in fields.get("dead", ()):
            self._forget(name)
        for name, place, key in fields.get("new", ()):
            if name in self._storages or name.startswith(self._mine):
                raise NotData("it named a tensor twice")
            self._hold(name, self._received(place, key, blobs))
            if key is not None:
                self._keys[name] = key
        for storage, place, names in fields.get("changed", ()):
            self._overwrite(storage, flat(blobs[place]), names)

    def _received(
        self, place: int | None, key: str | None, blobs: list[torch.UntypedStorage]
    ) -> torch.UntypedStorage:
        if place is not None:
            storage = blobs[place]
            if key is not None:
                self._kept[key] = storage
            return storage
        assert key is not None
        kept = self._kept[key]
        # Two tensors of the judge's may hold the same numbers and are two all the same.
        used = kept._cdata in self._by_pointer
        return flat(kept).clone().untyped_storage() if used else kept

    def _overwrite(self, storage: str, content: Tensor, names: Iterable[str]) -> None:
        target = flat(self._storages[storage])
        if storage in self.protected:  # numbers that are expected may be computed from it
            self.violated.add(storage)
            return
        if target.shape != content.shape:
            raise NotData("it changed the size of a tensor's storage")
        if self._weak and storage.startswith(self._mine):
            self.before.append((storage, target.clone()))
        target.copy_(content)
        for name in names:
            tensor = self._refs[name]()
            if tensor is not None and self._about[name].storage == storage:
                if not tensor.is_inference():
                    increment_version(tensor)
                self._about[name].version = _version(tensor)
        self._note(storage)

    def tensor(self, rest: list[Any]) -> Tensor:
        """The tensor that a node describes, once it is sure to lie inside its storage."""
        _name, storage, kind, shape, stride, offset, _, called = rest
        dtype, held = DTYPES[kind], self._storages[storage]
        if not all(map(is_size, [*shape, *stride, offset])) or len(shape) != len(stride):
            raise NotData("it described a tensor that can't be")
        count = prod(shape)
        last = offset + sum((n - 1) * s for n, s in zip(shape, stride, strict=True))
        if (
            len(shape) > _MOST_AXES
            or (count and (last + 1) * dtype.itemsize > held.nbytes())
            or (self._weak and count * dtype.itemsize > MOST_BYTES)
        ):
            raise NotData("it described a tensor that can't be")
        if dtype is torch.bool:  # a bool of any other byte is neither True nor False
            whole = flat(held)
            whole.copy_(whole != 0)
        empty = torch.empty(0, dtype=dtype, device="cpu")
        tensor: Tensor = empty.set_(held, offset if count else 0, shape, stride)
        if called:
            tensor = tensor.as_subclass(_class_called(called))
        return tensor

    # -- names ----------------------------------------------------------------

    def alive(self) -> list[Tensor | None]:
        """All that have a name."""
        return [known() for known in list(self._refs.values())]

    def known(self, name: str) -> Tensor:
        tensor = self._refs[name]()
        if tensor is None:
            raise NotData("it named a tensor that is gone")
        return tensor

    def refresh(self, name: str) -> None:
        """Gradients were connected to a tensor that both ends know."""
        tensor = self.known(name)
        self._about[name].requires_grad = tensor.requires_grad
        self._about[name].version = _version(tensor)

    def remember(self, name: str, tensor: Tensor, storage: str) -> None:
        if name in self._refs:
            raise NotData("it named a tensor twice")
        at = id(tensor)
        self._refs[name] = (
            weakref.ref(tensor, lambda _: self._gone(name, at)) if self._weak else lambda: tensor
        )
        self._names[at] = name
        self._about[name] = _About(storage, _version(tensor), tensor.requires_grad)
        self._users[storage] += 1

    def _gone(self, name: str, at: int) -> None:
        if self._names.get(at) == name:
            del self._names[at]
        if name in self._about:
            self.dead.append(name)
            self._forget(name)

    def _forget(self, name: str) -> None:
        about = self._about.pop(name, None)
        if about is None:
            return
        tensor = self._refs.pop(name)()
        if tensor is not None and self._names.get(id(tensor)) == name:
            del self._names[id(tensor)]
        self._users[about.storage] -= 1
        if not self._users[about.storage]:
            self._release(about.storage)

    def _hold(self, name: str, storage: torch.UntypedStorage) -> None:
        self._storages[name] = storage
        self._by_pointer[storage._cdata] = name
        self._note(name)

    def _release(self, name: str) -> None:
        storage = self._storages.pop(name)
        if self._by_pointer.get(storage._cdata) == name:
            del self._by_pointer[storage._cdata]
        for notes in (self._users, self._sums, self._keys):
            notes.pop(name, None)
        self.protected.discard(name)

    def _note(self, name: str) -> None:
        """Remember what a small storage of the player's holds."""
        storage = self._storages[name]
        if not self._weak and storage.nbytes() <= _LOOKED_THROUGH:
            self._sums[name] = _sum(storage)

    def let_go(self) -> None:
        """The judge's, after a check: its tensors have their numbers back, and no name is left.

        What a stage returned is now the judge's alone: no later answer changes it.
        """
        for storage, content in reversed(self.before):
            if storage in self._storages:
                flat(self._storages[storage]).copy_(content)
        self.before.clear()
        self.dead += self._about
        for names in (self._refs, self._about, self._names, self._storages, self._by_pointer):
            names.clear()
        for notes in (self._users, self._keys, self.protected):
            notes.clear()

    def _let_go(self, storage: str) -> None:
        """Forget all names in a storage, for the player's numbers are others by now."""
        for name in [n for n, about in self._about.items() if about.storage == storage]:
            self.dead.append(name)
            self._forget(name)

    def let_go_of_violated(self) -> bool:
        """The judge's, after a call: whether it changed what it must not."""
        changed, self.violated = self.violated, set()
        for storage in changed & self._storages.keys():
            self._let_go(storage)
        return bool(changed)

    def protect(self, tensors: Iterable[Tensor]) -> None:
        """The judge's: a stage must leave these as they are."""
        for tensor in tensors:
            name = self.name_of(tensor)
            if name is not None and self._about[name].storage.startswith(self._mine):
                self.protected.add(self._about[name].storage)


def _version(tensor: Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version


def _sum(storage: torch.UntypedStorage) -> int:
    return zlib.crc32(in_c(storage)) if storage.nbytes() else 0


def _plain(tensor: Tensor) -> Tensor:
    """The same numbers in an ordinary tensor."""
    if type(tensor) is Tensor and not (tensor.requires_grad or tensor.is_conj() or tensor.is_neg()):
        return tensor
    with torch.no_grad():
        plain = tensor.detach()
        if type(plain) is not Tensor:
            with torch._C.DisableTorchFunctionSubclass():
                plain = plain.as_subclass(Tensor)
        return plain.resolve_conj().resolve_neg()


def _class_called(name: str) -> type[Tensor]:
    """A class of tensors that is none of torch's, by whatever name a learner gave theirs."""
    return type(shown(str(name), _LONGEST_NAME) or "Tensor", (Tensor,), {})
