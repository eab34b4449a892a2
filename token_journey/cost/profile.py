"""What was measured, read back from pytest-benchmark's JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from token_journey.cost.machine import Machine, best
from token_journey.cost.workload import Size
from token_journey.errors import CostError
from token_journey.foreign import foreign
from token_journey.llama.formulas import Cost

REFERENCE = "transformers-eager"


@dataclass(frozen=True)
class Measured:
    """One step at one size, by somebody's code: the fastest of its rounds.

    Whatever else the machine does only adds to a time.
    """

    by: str
    step: str
    size: Size
    seconds: float
    cost: Cost
    machine: Machine
    rounds: int | None = None

    @property
    def share_of_limit(self) -> float:
        """How near to what the machine can do; above 1 where all fits into its caches."""
        return self.machine.least_seconds(self.cost) / self.seconds

    @property
    def rate(self) -> float:
        """FLOP/s"""
        return self.cost.flops / self.seconds


class Profile:
    """All that one run measured."""

    def __init__(self, measured: Iterable[Measured]):
        self._measured = {(m.by, m.step, m.size): m for m in measured}

    @classmethod
    def read(cls, file: Path) -> Profile:
        """Raises CostError for what is no benchmark file, or not one of ours."""
        try:
            benchmarks = json.loads(file.read_text(encoding="utf-8"))["benchmarks"]
        except OSError as error:
            raise CostError(f"{file} can't be read: {error.strerror}.") from None
        except (ValueError, KeyError, TypeError, RecursionError):
            raise CostError(
                f"{file} is no benchmark file: make one with "
                "`pytest solutions/ --benchmark-only --benchmark-json FILE`."
            ) from None
        try:
            return cls(map(_measured, benchmarks))
        except (KeyError, TypeError, ValueError, OverflowError):
            raise CostError(
                f"{file} holds benchmarks of something else: make one with "
                "`pytest solutions/ --benchmark-only --benchmark-json FILE`."
            ) from None

    def get(self, by: str, step: str, size: Size) -> Measured | None:
        return self._measured.get((by, step, size))

    @property
    def implementations(self) -> list[str]:
        """Whose code was measured, transformers' apart."""
        by = dict.fromkeys(m.by for m in self._measured.values())
        return [name for name in by if not name.startswith("transformers-")]

    @property
    def machine(self) -> Machine:
        """At its best, of all the times it was looked at."""
        return best(m.machine for m in self._measured.values())

    @property
    def rounds(self) -> list[int]:
        """How often each step was timed, as far as that is known; from few to many."""
        return sorted(m.rounds for m in self._measured.values() if m.rounds is not None)

    def tokens(self, by: str, step: str, size: Size) -> list[int]:
        """At how many tokens a step of this model was measured."""
        found = (
            m.size.tokens
            for m in self._measured.values()
            if (m.by, m.step, m.size.model, m.size.kv_heads)
            == (by, step, size.model, size.kv_heads)
        )
        return sorted(found)

    def shared_heads(self, by: str) -> list[Measured]:
        """A token with the cache at 16, 4 and 1 key/value heads, after as many tokens."""
        step = "token with cache"
        for tokens in (2048, 512, 64, 5):
            sizes = [Size("Aitana-2B-S", heads, tokens) for heads in (16, 4, 1)]
            found = [m for size in sizes if (m := self.get(by, step, size))]
            if len(found) == len(sizes):
                return found
        return []

    def __bool__(self) -> bool:
        return bool(self._measured)


def _measured(benchmark: dict[str, Any]) -> Measured:
    about, stats = benchmark["extra_info"], benchmark["stats"]
    return Measured(
        by=foreign(str(about["by"]), 100),
        step=str(about["step"]),
        size=Size(str(about["model"]), _count(about["kv_heads"], 1), _count(about["tokens"], 1)),
        seconds=max(_finite(stats["min"]), 1e-9),
        cost=Cost(*(_count(about[name]) for name in ("parameters", "flops", "bytes"))),
        machine=_machine(about["machine"]),
        rounds=int(stats["rounds"]) if "rounds" in stats else None,
    )


def _machine(about: dict[str, Any]) -> Machine:
    return Machine(
        max(_finite(about["flops_per_second"]), 1.0),
        max(_finite(about["bytes_per_second"]), 1.0),
        foreign(str(about["device"]), 100),
        _count(about["threads"]),
        foreign(str(about.get("dtype", "float32")), 100),
    )


def _count(number: Any, least: int = 0) -> int:
    """Raises ValueError and TypeError for what can't be counted."""
    if not least <= (count := int(number)) < 2**62:
        raise ValueError
    return count


def _finite(number: Any) -> float:
    """Raises ValueError and TypeError for what is no number that can be measured."""
    if not isfinite(value := float(number)):
        raise ValueError
    return value
