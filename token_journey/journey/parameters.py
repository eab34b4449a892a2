"""Where a model's parameters sit."""

from __future__ import annotations

from token_journey.cost import formulas
from token_journey.pack import ModelConfig


def shares_of_parameters(config: ModelConfig) -> list[tuple[str, int]]:
    """The kinds of matrices with how many parameters they have, in the order of the walk."""
    layers = config.num_hidden_layers
    table = config.vocab_size * config.hidden_size
    inside = {
        "attention": formulas.attention(config, 1, 1).parameters * layers,
        "MLP": formulas.swiglu(config, 1, 1).parameters * layers,
    }
    norms = (2 * layers + 1) * config.hidden_size
    if config.tie_word_embeddings:
        return [("embedding table, and vocabulary again", table), *inside.items(), ("norms", norms)]
    return [("embedding table", table), *inside.items(), ("norms", norms), ("vocabulary", table)]
