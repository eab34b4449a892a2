"""What crosses between judge and player: frames of JSON and bytes, measured before they are read.

A frame is its own size, a JSON object, and the bytes of tensors' storages. Nothing in it is
unpickled or executed; what is too large, malformed or unknown is `NotData`.
"""

from __future__ import annotations

import ctypes
import json
import socket
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

_HEAD = struct.Struct("<4sIQ")  # a word to know it by, the bytes of JSON, the bytes of storages
_WORD = b"tj01"
# What a judge takes of a player in one frame, and in all frames of one check.
MOST_TEXT = 8 << 20
MOST_BYTES = 256 << 20
MOST_A_CHECK = 1 << 30
ANY = 1 << 40  # what a player takes of the judge
PLAIN = frozenset((type(None), bool, int, float, str))  # what stands for itself
_DEEPEST, _MOST_BLOBS, _AT_ONCE = 60, 10_000, 1 << 16
_as_json = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_PATIENCE = 0.1  # seconds until who waits looks whether it has waited long enough

DTYPES: dict[str, torch.dtype] = {
    str(kind).removeprefix("torch."): kind
    for kind in vars(torch).values()
    if isinstance(kind, torch.dtype) and not str(kind).startswith(("torch.q", "torch.bits"))
}


class NotData(Exception):
    """What came is no frame, too large, or names what there is not."""


class Closed(Exception):
    """The other end is gone."""


@dataclass
class Parcel:
    """What a frame holds beside its values: the bytes of storages, and whose they are."""

    blobs: list[torch.UntypedStorage] = field(default_factory=list)
    kept: list[Any] = field(default_factory=list)  # alive until the frame is away

    def add(self, blob: torch.UntypedStorage) -> int:
        self.blobs.append(blob)
        return len(self.blobs) - 1


class Channel:
    """A socket that carries frames."""

    def __init__(self, sock: socket.socket, most_text: int = ANY, most_bytes: int = ANY):
        self._socket = sock
        self._most_text, self._most_bytes = most_text, most_bytes
        self.left = ANY  # bytes that are still taken in this check
        self.waiting: Callable[[], None] = lambda: None
        self._read = memoryview(bytearray(_AT_ONCE))
        self._early = self._read[:0]  # what came before it was asked for

    def watched_by(self, waiting: Callable[[], None]) -> None:
        """Call it again and again while the other end keeps this one waiting."""
        self.waiting = waiting
        self._socket.settimeout(_PATIENCE)

    def send(self, fields: dict[str, Any], storages: list[torch.UntypedStorage]) -> None:
        sizes = [storage.nbytes() for storage in storages]
        text = _as_json(fields | {"blobs": sizes} if sizes else fields).encode()
        pieces: list[bytes | memoryview]
        pieces = [_HEAD.pack(_WORD, len(text), sum(sizes)), text, *map(bytes_of, storages)]
        # What is small goes at once: each piece would wake who waits for it.
        if len(text) + sum(sizes) <= _AT_ONCE:
            pieces = [b"".join(pieces)]
        for piece in pieces:
            self._send(memoryview(piece))

    def _send(self, view: memoryview) -> None:
        while view.nbytes:
            try:
                view = view[self._socket.send(view) :]
            except BlockingIOError:  # a stage may have set all that it found to not wait
                self._socket.setblocking(True)
            except TimeoutError:
                self.waiting()
            except OSError as error:
                raise Closed from error

    def receive(self) -> tuple[dict[str, Any], list[torch.UntypedStorage]]:
        word, text, rest = _HEAD.unpack(self._exactly(bytearray(_HEAD.size)))
        too_much = text > self._most_text or rest > self._most_bytes or text + rest > self.left
        if word != _WORD or too_much:
            raise NotData("it answered with more than an answer may hold")
        self.left -= text + rest
        fields = _parsed(self._exactly(bytearray(text)))
        sizes = fields.pop("blobs", [])
        if not isinstance(sizes, list) or len(sizes) > _MOST_BLOBS:
            raise NotData("it answered with something that is no data")
        if not all(is_size(size) for size in sizes) or sum(sizes) != rest:
            raise NotData("it answered with something that is no data")
        return fields, [self._blob(size) for size in sizes]

    def _blob(self, size: int) -> torch.UntypedStorage:
        found = torch.UntypedStorage(size)  # type: ignore[no-untyped-call]
        self._exactly(bytes_of(found))
        return found

    def _exactly(self, buffer: Any) -> Any:
        view = memoryview(buffer)
        while left := len(view):
            if not self._early and left < _AT_ONCE:
                self._early = self._read[: self._some(self._read)]
            if self._early:
                count = min(len(self._early), left)
                view[:count], self._early = self._early[:count], self._early[count:]
            else:
                count = self._some(view)
            view = view[count:]
        return buffer

    def _some(self, view: memoryview) -> int:
        """How many bytes came, at least one."""
        while True:
            try:
                count = self._socket.recv_into(view)
            except BlockingIOError:  # a stage may have set all that it found to not wait
                self._socket.setblocking(True)
            except TimeoutError:
                self.waiting()
            except OSError as error:
                raise Closed from error
            else:
                if not count:
                    raise Closed
                return count

    def close(self) -> None:
        self._socket.close()


def _parsed(text: bytearray) -> dict[str, Any]:
    try:
        fields = json.loads(str(text, "ascii"))
    except (ValueError, RecursionError) as error:
        raise NotData("it answered with something that is no data") from error
    if not isinstance(fields, dict):
        raise NotData("it answered with something that is no data")
    return fields


def is_size(value: Any) -> bool:
    return type(value) is int and 0 <= value < ANY


def flat(storage: torch.UntypedStorage) -> Tensor:
    """The bytes of a storage, which they share."""
    return torch.empty(0, dtype=torch.uint8, device="cpu").set_(storage)


def bytes_of(storage: torch.UntypedStorage) -> memoryview:
    """The same as Python has them, for as long as the storage lives and keeps its size."""
    return memoryview(in_c(storage)).cast("B") if storage.nbytes() else memoryview(b"")


def in_c(storage: torch.UntypedStorage) -> ctypes.Array[ctypes.c_char]:
    return (ctypes.c_char * storage.nbytes()).from_address(storage.data_ptr())


class Coder:
    """Values as JSON, and back; a subclass adds what its own end alone knows.

    Plain values stand for themselves; everything else is a list that begins with a tag.
    """

    def encode(self, value: Any, parcel: Parcel) -> Any:
        kind = type(value)
        if kind in PLAIN:
            return value
        if kind is bytes:
            return ["b", value.decode("latin-1")]
        if isinstance(value, Tensor):
            return self.encode_tensor(value, parcel)
        if kind in (list, set, dict):
            return self.encode_container(value, parcel)
        if kind is frozenset:
            return ["frozen", self.items(value, parcel)]
        if isinstance(value, tuple):
            return ["t", self.items(tuple.__iter__(value), parcel)]
        if kind is range:
            return ["range", value.start, value.stop, value.step]
        if kind is complex:
            return ["complex", value.real, value.imag]
        if kind is torch.dtype:
            return ["dtype", str(value).removeprefix("torch.")]
        if kind is torch.device:
            return ["device", str(value)]
        return self.encode_other(value, parcel)

    def contents(self, value: list[Any] | set[Any] | dict[Any, Any], parcel: Parcel) -> list[Any]:
        """The tag and the items of a container."""
        if isinstance(value, dict):
            return ["d", self.items(value.items(), parcel)]
        return ["l" if isinstance(value, list) else "s", self.items(value, parcel)]

    def items(self, values: Iterable[Any], parcel: Parcel) -> Any:
        """What stands for each of them; columns where all are bytes, or tuples of one length."""
        values = list(values)
        kinds = set(map(type, values))
        if kinds <= PLAIN:
            return values
        if kinds == {bytes}:
            return {"b": [value.decode("latin-1") for value in values]}
        if kinds == {tuple} and values[0] and len(set(map(len, values))) == 1:
            return {"t": [self.items(column, parcel) for column in zip(*values, strict=True)]}
        return [self.encode(value, parcel) for value in values]

    def decode(self, node: Any, depth: int = 0) -> Any:
        if type(node) in PLAIN:
            return node
        if not isinstance(node, list) or not node or depth > _DEEPEST:
            raise NotData("it answered with something that is no data")
        tag, *rest = node
        below = depth + 1
        if tag == "b":
            return rest[0].encode("latin-1")
        if tag == "t":
            return tuple(self.decoded(rest[0], below))
        if tag in ("l", "s", "d", "frozen"):
            return self.filled(tag, rest[0], below)
        if tag == "range":
            return range(*rest)
        if tag == "complex":
            return complex(*rest)
        if tag == "dtype":
            return DTYPES[rest[0]]
        if tag == "device":
            return torch.device(rest[0])
        return self.decode_other(tag, rest, below)

    def decoded(self, items: Any, depth: int) -> list[Any]:
        """The values that `items` stand for."""
        if type(items) is list:
            alike = PLAIN.issuperset(map(type, items))
            return items if alike else [self.decode(item, depth) for item in items]
        ((kind, columns),) = items.items()
        if kind == "b":
            return [value.encode("latin-1") for value in columns]
        if kind != "t" or depth > _DEEPEST:
            raise NotData("it answered with something that is no data")
        return list(zip(*(self.decoded(column, depth + 1) for column in columns), strict=True))

    def filled(self, tag: str, items: Any, depth: int) -> Any:
        # Item by item, not by one call into C, which no time limit could break off.
        if tag == "d":
            return {key: value for key, value in self.decoded(items, depth)}
        if tag == "l":
            return self.decoded(items, depth)
        found = {value for value in self.decoded(items, depth)}
        return found if tag == "s" else frozenset(found)

    # -- what a subclass knows ------------------------------------------------

    def encode_tensor(self, value: Tensor, parcel: Parcel) -> Any:
        raise NotImplementedError

    def encode_container(self, value: Any, parcel: Parcel) -> Any:
        return self.contents(value, parcel)

    def encode_other(self, value: Any, parcel: Parcel) -> Any:
        raise NotImplementedError

    def decode_other(self, tag: str, rest: list[Any], depth: int) -> Any:
        raise NotImplementedError
