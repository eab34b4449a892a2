"""One forward pass of Aitana-2B-S, put together from its measured steps."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from token_journey.cost.profile import REFERENCE, Measured, Profile
from token_journey.cost.workload import AITANA, Size, config_of
from token_journey.llama.formulas import ATTENTION, MLP, Cost, cost

# What a step belongs to, in the order of the walk.
PARTS = {"norm": "norms", **dict.fromkeys(ATTENTION, "attention"), **dict.fromkeys(MLP, "MLP")}
PARTS["lm_head"] = "lm_head"


def at(tokens: int) -> Size:
    return Size(AITANA, config_of(AITANA).num_key_value_heads, tokens)


def measured_at(profile: Profile, by: str, step: str) -> list[int]:
    """At how many tokens a step of Aitana-2B-S was measured."""
    return profile.tokens(by, step, at(0))


def times(step: str) -> int:
    """How often a step is taken in one forward pass."""
    layers = config_of(AITANA).num_hidden_layers
    return {"lm_head": 1, "norm": 2 * layers}.get(step, layers)


@dataclass(frozen=True)
class PassStep:
    """A step of the forward pass, all its repetitions together."""

    step: str
    times: int
    cost: Cost
    one: Measured
    reference: Measured | None

    @property
    def seconds(self) -> float:
        return self.times * self.one.seconds

    @property
    def times_reference(self) -> float | None:
        """By how much longer it takes than transformers' eager layer."""
        return self.one.seconds / self.reference.seconds if self.reference else None


def forward_pass(profile: Profile, by: str, tokens: int) -> list[PassStep]:
    """The steps that were measured at so many tokens."""
    rows = []
    for step in PARTS:
        one = profile.get(by, step, at(tokens))
        if one is not None:
            whole = cost(step, config_of(AITANA), tokens) * times(step)
            reference = profile.get(REFERENCE, step, at(tokens))
            rows.append(PassStep(step, times(step), whole, one, reference))
    return rows


def complete(rows: list[PassStep]) -> bool:
    """Whether no step is missing, so that shares can be given."""
    return len(rows) == len(PARTS)


def seconds_of(rows: list[PassStep], part: str) -> float:
    return sum(row.seconds for row in rows if PARTS[row.step] == part)


def of_a_layer(profile: Profile, by: str, steps: dict[str, object], tokens: int) -> float | None:
    """Attention or the MLP of one layer, in seconds, where all its steps were measured."""
    found = [profile.get(by, step, at(tokens)) for step in steps]
    return sum(m.seconds for m in found if m) if all(found) else None


def measured_crossing(profile: Profile, by: str) -> float | None:
    """From how many tokens on attention takes longer than the MLP.

    Between two measured sizes it is read off a straight line; beyond the
    largest, attention is taken to go on as b·T + c·T² and the MLP as e·T.
    """
    sizes = measured_at(profile, by, "scores")
    pairs = [
        (tokens, a, m)
        for tokens in sizes
        if (a := of_a_layer(profile, by, dict(ATTENTION), tokens)) is not None
        and (m := of_a_layer(profile, by, dict(MLP), tokens)) is not None
    ]
    for (t1, a1, m1), (t2, a2, m2) in pairwise(pairs):
        if a1 <= m1 and a2 > m2:
            d1, d2 = a1 - m1, a2 - m2
            return t1 + (t2 - t1) * -d1 / (d2 - d1)
    if len(pairs) < 2 or pairs[-1][1] > pairs[-1][2]:
        return None
    (t1, a1, _), (t2, a2, m2) = pairs[-2:]
    square = (a2 / t2 - a1 / t1) / (t2 - t1)
    linear = a1 / t1 - square * t1
    return (m2 / t2 - linear) / square if square > 0 else None
