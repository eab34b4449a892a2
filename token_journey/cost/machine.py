"""What this machine can do at best, as far as torch can reach it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch

from token_journey.cost.formulas import FLOAT32, Cost
from token_journey.cost.stepclock import now_on

_SIDE = 2048
_MEGABYTES = 256
_ROUNDS = 5


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


def measure(device: torch.device) -> Machine:
    """The best of a few rounds each; takes about a second and half a GB."""
    now = now_on(device)

    def fastest(work: Callable[[], object]) -> float:
        seconds = []
        for _ in range(_ROUNDS + 1):
            started = now()
            work()
            seconds.append(now() - started)
        return min(seconds)

    # A square, and a tall product such as the MLP's: libraries have a favourite.
    shapes = ((_SIDE, _SIDE, _SIDE), (512, _SIDE, 5440))
    rate = 0.0
    for m, k, n in shapes:
        a, b = torch.rand(m, k, device=device), torch.rand(n, k, device=device).mT
        rate = max(rate, 2 * m * k * n / fastest(lambda a=a, b=b: a @ b))  # type: ignore[misc]
    numbers = _MEGABYTES * 1_000_000 // FLOAT32
    x = torch.rand(numbers // _SIDE, _SIDE, device=device)
    y, vector = torch.empty_like(x), torch.rand(_SIDE, device=device)
    moved = x.numel() * FLOAT32
    bandwidth = max(
        2 * moved / fastest(lambda: y.copy_(x)),
        moved / fastest(lambda: x.sum()),
        moved / fastest(lambda: x @ vector),
    )
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    return Machine(rate, bandwidth, name, torch.get_num_threads())
