"""Stage 2: embedding lookup with nn.Embedding."""

from jaxtyping import Float, Int
from torch import Tensor, nn


def embed(token_ids: Int[Tensor, "... T"], table: Float[Tensor, "V D"]) -> Float[Tensor, "... T D"]:
    vocab_size = table.size(0)
    if token_ids.numel() > 0:
        lo, hi = int(token_ids.min()), int(token_ids.max())
        if lo < 0 or hi >= vocab_size:
            raise IndexError(f"token ids must lie between 0 and {vocab_size - 1}")
    wte = nn.Embedding.from_pretrained(table)
    return wte(token_ids)
