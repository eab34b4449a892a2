"""What each step of a forward pass costs, counted from the sizes alone.

    T  tokens that are computed now           D  hidden size
    S  tokens that are looked at, S ≥ T       F  intermediate size
    H  query heads, K key/value heads         V  vocabulary
    d  numbers a head                         L  layers

A product of matrices (m, k) and (k, n) takes 2·m·k·n operations (FLOPs): for each of m·n
results k multiplications and k additions. Of everything else each operation on a number
counts as one, an e^x or a root too.

Bytes are those that have to be moved at least once: what goes in, the weights, what comes
out. Whoever writes something down in between moves more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from token_journey.llama.config import ModelConfig

FLOAT32 = 4  # bytes a number


@dataclass(frozen=True)
class Cost:
    """Of one step, once: parameters read, operations (FLOPs), bytes moved."""

    parameters: int
    flops: int
    bytes: int

    @property
    def intensity(self) -> float:
        """Operations for each byte that is moved."""
        return self.flops / self.bytes

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.parameters + other.parameters,
            self.flops + other.flops,
            self.bytes + other.bytes,
        )

    def __mul__(self, times: int) -> Cost:
        return Cost(self.parameters * times, self.flops * times, self.bytes * times)


NOTHING = Cost(0, 0, 0)


def _product(rows: int, inner: int, columns: int) -> Cost:
    """x Wᵀ for x (rows, inner) and a weight W (columns, inner)."""
    moved = FLOAT32 * (rows * (inner + columns) + columns * inner)
    return Cost(columns * inner, 2 * rows * inner * columns, moved)


# Each of them takes the configuration, T and S.


def embed(c: ModelConfig, t: int, s: int) -> Cost:
    """T rows of the table (V, D) are copied; nothing is computed."""
    return Cost(c.vocab_size * c.hidden_size, 0, 2 * FLOAT32 * t * c.hidden_size)


def norm(c: ModelConfig, t: int, s: int) -> Cost:
    """For each of T·D numbers: square, add up, divide, multiply by γ."""
    d = c.hidden_size
    return Cost(d, 4 * t * d, FLOAT32 * 2 * t * d + FLOAT32 * d)


def projections(c: ModelConfig, t: int, s: int) -> Cost:
    """W_q has H·d rows, W_k and W_v K·d each: one product with (H + 2K)·d columns."""
    columns = (c.num_attention_heads + 2 * c.num_key_value_heads) * c.head_dim
    return _product(t, c.hidden_size, columns)


def rope(c: ModelConfig, t: int, s: int) -> Cost:
    """Each of the (H + K)·T·d numbers of q and k: times cos, plus another times sin."""
    turned = (c.num_attention_heads + c.num_key_value_heads) * t * c.head_dim
    return Cost(0, 3 * turned, FLOAT32 * (2 * turned + 2 * t * c.head_dim))


def scores(c: ModelConfig, t: int, s: int) -> Cost:
    """H times the product (T, d)·(d, S). Read: q of H heads, k of K heads."""
    h, k, d = c.num_attention_heads, c.num_key_value_heads, c.head_dim
    return Cost(0, 2 * h * t * d * s, FLOAT32 * (h * t * d + k * s * d + h * t * s))


def softmax(c: ModelConfig, t: int, s: int) -> Cost:
    """Each of H·T·S scores: divided by √d, less the maximum, e^x, added up, divided."""
    numbers = c.num_attention_heads * t * s
    return Cost(0, 5 * numbers, FLOAT32 * 2 * numbers)


def weighted_sum(c: ModelConfig, t: int, s: int) -> Cost:
    """H times the product (T, S)·(S, d). Read: the pattern of H heads, v of K heads."""
    h, k, d = c.num_attention_heads, c.num_key_value_heads, c.head_dim
    return Cost(0, 2 * h * t * s * d, FLOAT32 * (h * t * s + k * s * d + h * t * d))


def output_projection(c: ModelConfig, t: int, s: int) -> Cost:
    """One product with W_o (D, H·d)."""
    return _product(t, c.num_attention_heads * c.head_dim, c.hidden_size)


def gate(c: ModelConfig, t: int, s: int) -> Cost:
    """One product with W_gate (F, D)."""
    return _product(t, c.hidden_size, c.intermediate_size)


def up(c: ModelConfig, t: int, s: int) -> Cost:
    """One product with W_up (F, D)."""
    return _product(t, c.hidden_size, c.intermediate_size)


def activation(c: ModelConfig, t: int, s: int) -> Cost:
    """Each of T·F numbers: e^x, plus 1, divided, which is SiLU; then times `up`."""
    numbers = t * c.intermediate_size
    return Cost(0, 4 * numbers, FLOAT32 * 3 * numbers)


def down(c: ModelConfig, t: int, s: int) -> Cost:
    """One product with W_down (D, F)."""
    return _product(t, c.intermediate_size, c.hidden_size)


def residual(c: ModelConfig, t: int, s: int) -> Cost:
    """T·D additions."""
    return Cost(0, t * c.hidden_size, FLOAT32 * 3 * t * c.hidden_size)


def logits(c: ModelConfig, t: int, s: int) -> Cost:
    """One product with the vocabulary's matrix (V, D), for all T tokens."""
    return _product(t, c.hidden_size, c.vocab_size)


Formula = Callable[[ModelConfig, int, int], Cost]

ATTENTION: dict[str, Formula] = {
    "projections": projections,
    "rope": rope,
    "scores": scores,
    "softmax": softmax,
    "weighted sum": weighted_sum,
    "output projection": output_projection,
}
MLP: dict[str, Formula] = {"gate": gate, "up": up, "activation": activation, "down": down}


def attention(c: ModelConfig, t: int, s: int) -> Cost:
    """8TD² + 4TSD operations in products where H·d = D and K = H."""
    return sum((step(c, t, s) for step in ATTENTION.values()), NOTHING)


def swiglu(c: ModelConfig, t: int, s: int) -> Cost:
    """6TDF operations in products."""
    return sum((step(c, t, s) for step in MLP.values()), NOTHING)


def decoder_layer(c: ModelConfig, t: int, s: int) -> Cost:
    """Two norms, attention, the MLP, two additions."""
    twice = (norm(c, t, s) + residual(c, t, s)) * 2
    return twice + attention(c, t, s) + swiglu(c, t, s)


def lm_head(c: ModelConfig, t: int, s: int) -> Cost:
    """The final norm, then the vocabulary."""
    return norm(c, t, s) + logits(c, t, s)


def token(c: ModelConfig, t: int, s: int) -> Cost:
    """T tokens through all layers, and logits for the last of them alone."""
    layers = decoder_layer(c, t, s) * c.num_hidden_layers
    return embed(c, t, s) + layers + lm_head(c, 1, s)


STEPS: dict[str, Formula] = {
    "embed": embed,
    "norm": norm,
    **ATTENTION,
    "attention": attention,
    **MLP,
    "swiglu": swiglu,
    "decoder layer": decoder_layer,
    "lm_head": lm_head,
    "token with cache": token,
    "token without cache": token,
}


def cost(
    step: str, config: ModelConfig, tokens: int, looked_at: int | None = None, w: int = 4
) -> Cost:
    """What a step costs once.

    tokens:    T, that are computed now
    looked_at: S, with those in the cache; T where there is no cache
    """
    return STEPS[step](config, tokens, looked_at or tokens)


def parameters(config: ModelConfig) -> int:
    """All that a model has: embedding, layers, final norm, and a vocabulary unless it is tied.

    Aitana-2B-S: 2 · 256,000 · 2048 + 24 · 50,204,672 + 2048 = 2,253,490,176.
    """
    table, layer = (cost(step, config, 1).parameters for step in ("embed", "decoder layer"))
    vocabularies = 1 if config.tie_word_embeddings else 2
    return vocabularies * table + config.num_hidden_layers * layer + config.hidden_size


def cache_bytes(config: ModelConfig, tokens: int, number: int = FLOAT32) -> int:
    """The key/value cache: a key and a value of d numbers, in L layers, K heads, T tokens."""
    a_token = 2 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim
    return a_token * tokens * number


def crossing(config: ModelConfig) -> float:
    """From how many tokens on attention's products take more operations than the MLP's.

    2T·d·D(2H + 2K) + 4T²·H·d = 6TDF, solved for T. Aitana-2B-S: 4064.
    """
    heads = 2 * config.num_attention_heads + 2 * config.num_key_value_heads
    mlp = 6 * config.hidden_size * config.intermediate_size
    linear = 2 * heads * config.head_dim * config.hidden_size
    square: float = 4 * config.num_attention_heads * config.head_dim
    return (mlp - linear) / square
