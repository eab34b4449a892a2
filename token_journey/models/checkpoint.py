"""A checkpoint: its description, its tensors by name, and where each lies.

Only JSON and safetensors are read, and nothing that a file says of itself is
believed before it is checked: sizes, offsets, names, shapes. A safetensors file
is eight bytes (the length of the header), the header in JSON, and the tensors'
bytes, side by side.
"""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from token_journey.errors import CheckpointError
from token_journey.files import plain_json
from token_journey.models.architecture import VOCABULARY, Family, read_config, refuse_by_name
from token_journey.models.quantised import refuse_if_named
from token_journey.models.source import ByteSource

if TYPE_CHECKING:
    from torch import Tensor

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
# The longest that each may be; safetensors itself refuses headers beyond 100 MB.
_LONGEST = {"config.json": 10**6, INDEX: 10**8, "tokenizer.json": 2 * 10**8}
_LONGEST_HEADER = 10**8
# Of a matrix that is not needed at once so many bytes are read at a time.
BLOCK_BYTES = 2**25
# The floating-point types that checkpoints come in, by bytes a number.
_BYTES = {"BF16": 2, "F16": 2, "F32": 4}
_NAMES = {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}
_OTHER_BYTES = {
    **{"BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "I16": 2, "U16": 2},
    **{"I32": 4, "U32": 4, "F64": 8, "I64": 8, "U64": 8},
}
_LAYER = re.compile(r"model\.layers\.(\d{1,9})\.")
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


@dataclass(frozen=True)
class Stored:
    """One tensor: which file, from which byte on, what numbers."""

    file: str
    start: int
    dtype: str
    shape: tuple[int, ...]

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * _BYTES[self.dtype]

    @property
    def bytes_a_row(self) -> int:
        return math.prod(self.shape[1:]) * _BYTES[self.dtype]


class Checkpoint:
    """An opened checkpoint, of which each part is read when it is asked for, and counted.

    All raise CheckpointError for what is not supported, damaged or foreign; opening
    does for what can be told from config.json's words.
    """

    def __init__(self, source: ByteSource):
        self.source = source
        _refuse_pickles(source)
        self._described = self._json("config.json")
        refuse_by_name(self._described)
        if source.size("tokenizer.json") is None:
            raise CheckpointError(
                "There is no tokenizer.json: save the tokenizer with transformers' "
                "`save_pretrained` beside the weights."
            )
        self.weights_read = 0

    @property
    def layers(self) -> int:
        """How many layers it says that it has."""
        count: int = self._described["num_hidden_layers"]
        return count

    @cached_property
    def family(self) -> Family:
        """What config.json describes; but a matrix that is stored is used, as transformers does."""
        family = read_config(self._described)
        stored = any(f"{VOCABULARY}.weight" in header for header in self._headers.values())
        return family.untied if stored else family

    @cached_property
    def tensors(self) -> dict[str, Stored]:
        """Where each of the model's weights lies, held against what config.json demands."""
        outer, layers = self.family.outer_shapes(), range(self.family.shape.num_hidden_layers)
        names = [name for header in self._headers.values() for name in header]
        refuse_if_named(names)
        self._refuse_more_layers(names)
        found = {name: self._look_up(name, shape) for name, shape in outer.items()}
        for layer in layers:
            for name, shape in self.family.layer_shapes(layer).items():
                found[name] = self._look_up(name, shape)
        return found

    def tokenizer_json(self) -> bytes:
        return self._content("tokenizer.json")

    @property
    def files(self) -> list[str]:
        """The files that are read: descriptions, and weights."""
        there = [name for name in _LONGEST if self.source.size(name) is not None]
        return [*there, *sorted({stored.file for stored in self.tensors.values()})]

    @property
    def stored_bytes(self) -> int:
        """What all weights weigh together."""
        return sum(stored.bytes for stored in self.tensors.values())

    @property
    def parameters(self) -> int:
        return sum(math.prod(stored.shape) for stored in self.tensors.values())

    @property
    def dtype(self) -> str:
        """The numbers that most of the weights are, e.g. "bfloat16"."""
        weights: dict[str, int] = {}
        for stored in self.tensors.values():
            weights[stored.dtype] = weights.get(stored.dtype, 0) + stored.bytes
        return _NAMES[max(weights, key=lambda dtype: weights[dtype])]

    @property
    def widest_dtype(self) -> str:
        """What holds every weight as it is stored, whatever config.json says of them."""
        stored = {stored.dtype for stored in self.tensors.values()}
        return _NAMES[stored.pop()] if len(stored) == 1 else "float32"

    # -- weights --------------------------------------------------------------

    def tensor(self, name: str) -> Tensor:
        """A weight at its own dtype."""
        stored = self.tensors[name]
        return self._read(name, 0, stored.shape[0])

    def rows(self, name: str, begin: int, end: int) -> Tensor:
        """Rows `begin` to `end` of a weight."""
        return self._read(name, begin, end)

    def _read(self, name: str, begin: int, end: int) -> Tensor:
        """Raises CheckpointError where a weight is NaN or infinite."""
        import torch

        stored = self.tensors[name]
        dtype = getattr(torch, _NAMES[stored.dtype])
        read = torch.empty((end - begin, *stored.shape[1:]), dtype=dtype)
        if read.numel():
            into: Any = read.view(torch.uint8).reshape(-1).numpy()
            start = stored.start + begin * stored.bytes_a_row
            self.source.read_into(stored.file, start, memoryview(into))
            self.weights_read += into.nbytes
        for begin in range(0, len(read), 4096):  # a mask of the whole would weigh half as much
            if not bool(read[begin : begin + 4096].isfinite().all()):
                raise CheckpointError(
                    f"{name} in {stored.file} holds NaN or infinity: fetch the file again."
                )
        return read

    # -- descriptions ---------------------------------------------------------

    def _content(self, name: str) -> bytes:
        size = self.source.size(name)
        if size is None:
            raise CheckpointError(
                f"There is no {name}: a checkpoint is a folder with config.json, tokenizer.json "
                "and safetensors files."
            )
        if size > _LONGEST[name]:
            raise CheckpointError(f"{name} is {size:,} bytes long, which is none that models have.")
        return _bytes(self.source, name, 0, size)

    def _json(self, name: str) -> Any:
        return _parsed(name, self._content(name))

    @cached_property
    def _headers(self) -> dict[str, dict[str, Stored]]:
        """What each of the files says that it holds."""
        lies_in = self._lies_in
        files = [SINGLE] if lies_in is None else sorted({*lies_in.values()})
        return {file: _read_header(self.source, file) for file in files}

    def _look_up(self, name: str, shape: tuple[int, ...]) -> Stored:
        file = SINGLE if self._lies_in is None else self._lies_in.get(name)
        stored = self._headers[file].get(name) if file else None
        if stored is None and name == f"{VOCABULARY}.weight":
            raise CheckpointError(
                f"{name} is missing: config.json says that the vocabulary has a matrix of its own "
                "(tie_word_embeddings), and no file holds one."
            )
        if file is None:
            raise CheckpointError(f"{name} is in none of the files: fetch them again.")
        if stored is None:
            raise CheckpointError(f"{name} is not in {file}: fetch the file again.")
        if sum(name in header for header in self._headers.values()) > 1:
            raise CheckpointError(f"{name} stands in more than one file: fetch them again.")
        if stored.shape != shape:
            raise CheckpointError(
                f"{name} has shape {stored.shape}, and config.json asks for {shape}."
            )
        if stored.dtype not in _BYTES:
            raise CheckpointError(
                f"{name} is stored as {stored.dtype}, and only {', '.join(_BYTES)} are read."
            )
        return stored

    def _refuse_more_layers(self, names: Iterable[str]) -> None:
        """transformers would leave them out without a word, and go to the logits."""
        found = [int(layer[1]) for name in names if (layer := _LAYER.match(name))]
        if max(found, default=0) >= self.layers:
            raise CheckpointError(
                f"config.json says num_hidden_layers = {self.layers}, and the files hold a layer "
                f"{max(found)}: they are not of one model."
            )

    @cached_property
    def _lies_in(self) -> dict[str, str] | None:
        """Which file holds a tensor, by the index; None where all are in a single file.

        Of a single file and an index, transformers takes the first.
        """
        if self.source.size(SINGLE) is not None:
            return None
        if self.source.size(INDEX) is None:
            raise CheckpointError(
                f"There is neither {SINGLE} nor {INDEX}: only safetensors are read."
            )
        index = self._json(INDEX)
        lies_in = index.get("weight_map") if isinstance(index, dict) else None
        if not isinstance(lies_in, dict):
            raise CheckpointError(f"{INDEX} has no weight_map: fetch the file again.")
        for file in lies_in.values():
            plain = isinstance(file, str) and not set("/\\\0") & set(file) and file[:1] != "."
            if not plain or not file.endswith(".safetensors"):
                raise CheckpointError(
                    f"{INDEX} names {file!r}, which is no safetensors file beside it."
                )
        return lies_in


def _refuse_pickles(source: ByteSource) -> None:
    """Say so before anything is read where there are pickles and no safetensors."""
    if source.size(SINGLE) is not None or source.size(INDEX) is not None:
        return
    names = source.names() or ()
    pickles = [name for name in names if name.endswith(_PICKLES)]
    if source.names() is None and source.size("pytorch_model.bin") is not None:
        pickles = ["pytorch_model.bin"]
    if pickles:
        raise CheckpointError(
            f"{pickles[0]} is a pickle, which can run code when it is opened, and is never read: "
            "use a checkpoint in safetensors."
        )


def _read_header(source: ByteSource, file: str) -> dict[str, Stored]:
    """Where each tensor of a safetensors file lies. Raises CheckpointError."""
    size = source.size(file)
    if size is None:
        raise CheckpointError(f"{file} is not there: fetch the checkpoint again.")
    if size < 8:
        raise CheckpointError(f"{file} is no safetensors file: it has {size} bytes.")
    length = int.from_bytes(_bytes(source, file, 0, 8), "little")
    if length > min(_LONGEST_HEADER, size - 8):
        raise CheckpointError(
            f"{file} claims a header of {length:,} bytes, beyond its end or any sense."
        )
    described = _parsed(f"the header of {file}", _bytes(source, file, 8, length))
    if not isinstance(described, dict):
        raise CheckpointError(f"The header of {file} is no table of tensors.")
    described.pop("__metadata__", None)
    found: dict[str, Stored] = {}
    ends: list[tuple[int, int, str]] = []
    for name, about in described.items():
        dtype, shape, begin, end = _entry(file, name, about)
        ends.append((begin, end, name))
        found[name] = Stored(file, 8 + length + begin, dtype, shape)
    last, before = 0, ""
    for begin, end, name in sorted(ends):
        if begin < last:
            raise CheckpointError(f"{name} overlaps {before} in {file}: fetch the file again.")
        if begin > last:
            raise CheckpointError(f"{file} has a hole before {name}: fetch the file again.")
        last, before = end, name
    if 8 + length + last != size:
        raise CheckpointError(
            f"{file} is {size:,} bytes long and describes {8 + length + last:,}: fetch it again."
        )
    return found


def _entry(file: str, name: str, about: Any) -> tuple[str, tuple[int, ...], int, int]:
    try:
        dtype, shape, (begin, end) = about["dtype"], tuple(about["shape"]), about["data_offsets"]
        numbers = [*shape, begin, end]
        if any(type(n) is not int or not 0 <= n < 2**62 for n in numbers) or begin > end:
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise CheckpointError(f"{file} describes {name} wrongly: fetch the file again.") from None
    bytes_a_number = (_BYTES | _OTHER_BYTES).get(dtype) if isinstance(dtype, str) else None
    if bytes_a_number is None:
        raise CheckpointError(f"{name} in {file} has dtype {dtype!r}, which is not known.")
    if end - begin != math.prod(shape) * bytes_a_number:
        raise CheckpointError(
            f"{name} in {file} has {end - begin:,} bytes, which are not those of shape {shape}."
        )
    return dtype, shape, begin, end


def _bytes(source: ByteSource, file: str, start: int, count: int) -> bytes:
    content = bytearray(count)
    source.read_into(file, start, memoryview(content))
    return bytes(content)


def _parsed(what: str, content: bytes) -> Any:
    """JSON as transformers reads it, in UTF-8."""
    try:
        if content.startswith(codecs.BOM_UTF8):
            raise ValueError("it begins with a byte order mark: save it without one")
        return plain_json(content)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{what} is no JSON that can be read ({error}).") from None
