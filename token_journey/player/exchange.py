"""One end of the conversation between judge and player: asks, answers, and asks back meanwhile."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from token_journey.player.protocol import DTYPES, Channel, Coder, NotData, Parcel, flat, is_size
from token_journey.player.tensors import Tensors

# What may be asked of an object beside its methods with a plain name.
SPECIAL = frozenset(
    ("__len__", "__iter__", "__next__", "__getitem__", "__contains__", "__call__", "__bool__")
)


class End(Coder):
    """Either end. A question is answered before the next one, but an answer may need questions."""

    mine: str  # with what the names begin that this end gives

    def __init__(self, channel: Channel, weak: bool):
        self.channel = channel
        self.tensors = Tensors(self.mine, weak)
        self.blobs: list[torch.UntypedStorage] = []  # of the last frame that came

    def ask(self, question: dict[str, Any], parcel: Parcel) -> dict[str, Any]:
        self.tell(question, parcel, whole=False)
        alive = self.tensors.alive()  # noqa: F841  (an answer may name what nobody else holds)
        while True:
            fields = self.hear()
            if "do" not in fields:
                return fields
            self.tell(*self.answer(fields))

    def tell(self, fields: dict[str, Any], parcel: Parcel, whole: bool = True) -> None:
        news = self.tensors.news(parcel, whole)
        self.channel.send(fields | news, parcel.blobs)

    def hear(self) -> dict[str, Any]:
        fields, self.blobs = self.channel.receive()
        self.tensors.take(fields, self.blobs)
        return fields

    def answer(self, fields: dict[str, Any]) -> tuple[dict[str, Any], Parcel]:
        raise NotImplementedError

    # -- chance and gradients, which both ends share -----------------------------

    def state(self, parcel: Parcel, last: Tensor | None) -> tuple[dict[str, Any], Tensor]:
        """Whether gradients are on, and torch's own chance where the other end does not know it."""
        chance = torch.get_rng_state()
        fields: dict[str, Any] = {"grad": torch.is_grad_enabled()}
        if last is None or not torch.equal(chance, last):
            fields["chance"] = parcel.add(chance.untyped_storage())
        return fields, chance

    def take_state(self, fields: dict[str, Any]) -> Tensor | None:
        if fields.get("grad") is not None:
            torch.set_grad_enabled(bool(fields["grad"]))
        if "chance" not in fields:
            return None
        torch.set_rng_state(flat(self.blobs[fields["chance"]]))
        return torch.get_rng_state()

    # -- dense tensors, and others ---------------------------------------------

    def encode_tensor(self, value: Tensor, parcel: Parcel) -> Any:
        if (name := self.tensors.known_as(value)) is not None:
            parcel.kept.append(value)
            return ["=", name]
        if value.is_meta:
            return ["odd", "meta", list(value.shape), str(value.dtype).removeprefix("torch.")]
        if value.layout is not torch.strided or value.is_quantized or value.is_nested:
            kind = "quantized" if value.is_quantized else str(value.layout).removeprefix("torch.")
            return ["odd", kind, list(value.shape), ""]
        parcel.kept.append(value)
        return self.tensors.node(value, self.grad_of(value), parcel)

    def grad_of(self, value: Tensor) -> int:
        """0 where no gradient is asked for; 1 for a leaf, 2 for what was computed."""
        return value.requires_grad and (1 if value.is_leaf else 2)

    def decode_other(self, tag: str, rest: list[Any], depth: int) -> Any:
        if tag == "=":
            return self.tensors.known(rest[0])
        if tag == "T":
            tensor = self.tensors.tensor(rest)
            self.tensors.remember(rest[0], tensor, rest[1])
            return tensor
        if tag == "odd":
            return _odd(*rest)
        raise NotData("it answered with something that is no data")


def _odd(kind: str, shape: list[int], dtype: str) -> Tensor:
    """A tensor that is as little a dense one, and holds nothing."""
    if kind == "meta" and all(map(is_size, shape)):
        return torch.empty(shape, dtype=DTYPES[dtype], device="meta")
    if kind == "quantized":
        return torch.quantize_per_tensor(torch.zeros(0), 1.0, 0, torch.quint8)
    if kind == "sparse_csr":
        return torch.sparse_csr_tensor([0], [], [], (0, 0))
    return torch.zeros(0).to_sparse()
