"""How fast RoPE turns the pairs of a head."""

from __future__ import annotations

import torch

from token_journey.journey.journey import Journey


def rates(journey: Journey) -> list[float]:
    """The angle of each pair at position 1, in radians.

    From the walk's own tables if they tell it: some models stretch the slow pairs.
    """
    config = journey.config
    cos, sin = journey.seen("rotary.cos"), journey.seen("rotary.sin")
    half = config.head_dim // 2
    for index, token in enumerate(journey.tokens):
        if token.place == 1 and cos is not None and sin is not None:
            angles: list[float] = torch.atan2(sin[index].double(), cos[index].double()).tolist()
            return angles[:half]
    return [config.rope_theta ** (-2 * pair / config.head_dim) for pair in range(half)]
