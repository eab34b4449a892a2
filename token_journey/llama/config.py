"""The shape of a Llama, under Hugging Face's field names."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelConfig:
    """The shape of a Llama-family model, under Hugging Face's field names."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    intermediate_size: int
    rms_norm_eps: float
    rope_theta: float
    tie_word_embeddings: bool
