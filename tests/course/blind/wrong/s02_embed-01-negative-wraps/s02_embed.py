"""Stage 2 · Embed."""

from jaxtyping import Float, Int
from torch import Tensor


def embed(token_ids: Int[Tensor, "... T"], table: Float[Tensor, "V D"]) -> Float[Tensor, "... T D"]:
    """Look up the row of each token."""
    return table[token_ids]  # torch raises IndexError by itself
