"""The shape of everything that a pack can hold, from the model's configuration."""

from __future__ import annotations

from token_journey.llama.config import ModelConfig
from token_journey.llama.names import describe


def activation_shape(config: ModelConfig, name: str, tokens: int) -> list[int]:
    """The whole shape of an activation, without batch axis. Raises KeyError."""
    sizes = {
        **dict.fromkeys(("token", "query", "key"), tokens),
        "hidden": config.hidden_size,
        "head": config.num_attention_heads,
        "key/value head": config.num_key_value_heads,
        "dim": config.head_dim,
        "all heads": config.num_attention_heads * config.head_dim,
        "all key/value heads": config.num_key_value_heads * config.head_dim,
        "neuron": config.intermediate_size,
        "vocabulary": config.vocab_size,
        "scale": 1,
    }
    return [sizes[axis] for axis in describe(name).axes]


def weight_shape(config: ModelConfig, name: str) -> list[int]:
    """The whole shape of a weight by its Hugging Face name. Raises KeyError."""
    module, kind = name.split(".")[-2:]
    hidden, neurons = config.hidden_size, config.intermediate_size
    queries = config.num_attention_heads * config.head_dim
    shared = config.num_key_value_heads * config.head_dim
    rows, columns = {
        "embed_tokens": (config.vocab_size, hidden),
        "lm_head": (config.vocab_size, hidden),
        "q_proj": (queries, hidden),
        "k_proj": (shared, hidden),
        "v_proj": (shared, hidden),
        "o_proj": (hidden, queries),
        "gate_proj": (neurons, hidden),
        "up_proj": (neurons, hidden),
        "down_proj": (hidden, neurons),
        **dict.fromkeys(("input_layernorm", "post_attention_layernorm", "norm"), (hidden, 0)),
    }[module]
    return [rows, columns] if columns and kind == "weight" else [rows]


# The letters of the lessons, where they are axes.
AXES = {
    "T": "tokens",
    "Q": "new tokens",
    "D": "the hidden size",
    "V": "the vocabulary",
    "H": "query heads",
    "K": "key/value heads",
    "d": "numbers a head",
    "F": "neurons",
}


def axis_sizes(config: ModelConfig, tokens: int, new: int) -> dict[str, int]:
    """How long each of them is for `tokens` tokens, of which the last are `new`."""
    heads, shared = config.num_attention_heads, config.num_key_value_heads
    return {
        **{"T": tokens, "Q": new, "N": 3, "D": config.hidden_size, "V": config.vocab_size},
        **{"H": heads, "K": shared, "G": heads // shared},
        **{"d": config.head_dim, "F": config.intermediate_size},
    }
