"""Which checks each known mistake fails: a constant, written by `make matrix`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

FILE = "patterns.json"  # beside the misconceptions


@dataclass(frozen=True)
class Pattern:
    """The checks that a mistake fails, whatever surrounds it, and those at which nobody is sure.

    It may fail there by so little that another machine rounds the other way, by what was drawn by
    chance, or only where other functions of the stage call the one that is wrong.
    """

    fails: frozenset[str]
    unsure: frozenset[str] = frozenset()

    def holds(self, check: str) -> bool:
        return check not in self.fails and check not in self.unsure


@dataclass(frozen=True)
class Patterns:
    """Those of one stage. `checks` are the names of all that were asked."""

    checks: tuple[str, ...] = ()
    of: Mapping[str, Pattern] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """A mistake's checks are the bits of a number, the first check's the lowest."""
        numbered = {name: 1 << place for place, name in enumerate(self.checks)}

        def bits(names: Iterable[str]) -> str:
            return f"{sum(numbered[name] for name in names):x}"

        written = {
            name: f"{bits(pattern.fails)} {bits(pattern.unsure)}".removesuffix(" 0")
            for name, pattern in self.of.items()
        }
        return {"checks": list(self.checks), "mistakes": written}

    @classmethod
    def from_json(cls, data: Mapping[str, Mapping[str, str]]) -> Patterns:
        checks = tuple(data["checks"])

        def named(bits: str) -> frozenset[str]:
            number = int(bits, 16)
            return frozenset(name for place, name in enumerate(checks) if number >> place & 1)

        of = {name: Pattern(*map(named, bits.split())) for name, bits in data["mistakes"].items()}
        return cls(checks, of)


def read_patterns(bank: Path, stage: str) -> Patterns:
    """What is known of a stage's mistakes, which is nothing in a course without the file."""
    file = bank / FILE
    if not file.is_file():
        return Patterns()
    written = json.loads(file.read_text(encoding="utf-8"))
    return Patterns.from_json(written[stage]) if stage in written else Patterns()


def as_text(patterns: Mapping[str, Patterns]) -> str:
    """The file's text; a line a check and a line a mistake."""
    written = {stage: found.to_json() for stage, found in patterns.items()}
    return json.dumps(written, indent=0, ensure_ascii=False) + "\n"
