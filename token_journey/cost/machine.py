"""What this machine can do at best, as far as torch can reach it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from token_journey.cost.stepclock import now_on
from token_journey.llama.formulas import FLOAT32, Cost

# A tall product such as the MLP's, and more numbers than a processor's own caches hold.
_TOKENS, _HIDDEN, _INTERMEDIATE = 512, 2048, 5440
_MEGABYTES = 128
_ROUNDS = 3


@dataclass(frozen=True)
class Machine:
    """The largest rate of products, in FLOP/s, and of memory, in bytes/s, and on what."""

    flops_per_second: float
    bytes_per_second: float
    device: str
    threads: int
    dtype: str = "float32"

    def least_seconds(self, cost: Cost) -> float:
        """How fast a step could be, were it bound by nothing but the roof above it."""
        return max(cost.flops / self.flops_per_second, cost.bytes / self.bytes_per_second)

    def bound(self, cost: Cost) -> str:
        """Which roof is above a step: "compute" or "memory"."""
        computing = cost.flops / self.flops_per_second
        return "compute" if computing > cost.bytes / self.bytes_per_second else "memory"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Gauge:
    """Reads what a device can do: again and again, for a busy machine has good and bad minutes."""

    def __init__(self, device: torch.device):
        """Takes 0.18 GB for as long as it lives."""
        self._device = device
        self._now = now_on(device)
        self._a = torch.rand(_TOKENS, _HIDDEN, device=device)
        self._b = torch.rand(_INTERMEDIATE, _HIDDEN, device=device).mT
        numbers = _MEGABYTES * 1_000_000 // FLOAT32
        self._many = torch.rand(numbers // _HIDDEN, _HIDDEN, device=device)
        self._vector = torch.rand(_HIDDEN, device=device)
        self.read()  # what runs for the first time is slow

    def read(self) -> Machine:
        """The best of a few rounds each; takes a fifth of a second on two cores."""
        flops = 2 * _TOKENS * _HIDDEN * _INTERMEDIATE
        moved = self._many.numel() * FLOAT32
        products = flops / self._fastest(lambda: self._a @ self._b)
        read = max(
            moved / self._fastest(lambda: self._many @ self._vector),
            moved / self._fastest(lambda: self._many.sum()),
        )
        cuda = self._device.type == "cuda"
        name = torch.cuda.get_device_name(self._device) if cuda else "cpu"
        return Machine(products, read, name, torch.get_num_threads())

    def _fastest(self, work: Callable[[], object]) -> float:
        seconds = []
        for _ in range(_ROUNDS):
            started = self._now()
            work()
            seconds.append(self._now() - started)
        return min(seconds)


def best(machines: Iterable[Machine]) -> Machine:
    """The highest rates of several readings of one machine."""
    first, *others = machines
    return replace(
        first,
        flops_per_second=max(m.flops_per_second for m in (first, *others)),
        bytes_per_second=max(m.bytes_per_second for m in (first, *others)),
    )
