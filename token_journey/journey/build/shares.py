"""How a walk's operations are shared among its stations."""

from __future__ import annotations

from token_journey.journey.stations import STATIONS, Station
from token_journey.llama.config import ModelConfig


def shares(config: ModelConfig, tokens: int) -> dict[str, float]:
    """Each station's part of all operations, all layers together; they sum to 1.

    tokens: how many the model reads at once
    """
    flops = {station.key: _flops(station, config, tokens) for station in STATIONS}
    total = sum(flops.values())
    return {key: each / total for key, each in flops.items()}


def _flops(station: Station, config: ModelConfig, tokens: int) -> int:
    once = sum(formula(config, tokens, tokens).flops for formula in station.counted)
    return once * (config.num_hidden_layers if station.in_every_layer else 1)
