"""What is left to chance where a sentence goes on."""

from __future__ import annotations

from dataclasses import dataclass

from token_journey.errors import JourneyError


@dataclass(frozen=True)
class Settings:
    """What is left to chance: as in stage 9. A `top_k` of 0 keeps all tokens."""

    temperature: float = 0.8
    top_k: int = 0
    top_p: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises JourneyError for what is no setting."""
        for name, holds, rule in (
            ("temperature", 1e-3 <= self.temperature <= 1e3, "lies between 0.001 and 1000"),
            ("top-k", self.top_k >= 0, "is 0, for all tokens, or more"),
            ("top-p", 0 < self.top_p <= 1, "lies above 0 and is at most 1"),
            ("seed", 0 <= self.seed < 2**63, "is 0 or more"),
        ):
            if not holds:
                raise JourneyError(f"--{name} {rule}.")

    @property
    def said(self) -> str:
        top_k = f", top-k {self.top_k}" if self.top_k else ""
        return f"temperature {self.temperature:g}{top_k}, top-p {self.top_p:g}, seed {self.seed}"
