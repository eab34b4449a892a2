from jaxtyping import Float, Int
from torch import Tensor


def embed(token_ids: Int[Tensor, "... T"], table: Float[Tensor, "V D"]) -> Float[Tensor, "... T D"]:
    """Embedding lookup; pads (id 0) carry no meaning, so their vectors are 0."""
    if (token_ids < 0).any() or (token_ids > table.shape[0] - 1).any():
        raise IndexError(f"token ids must lie between 0 and {table.shape[0] - 1}")
    keep = (token_ids != 0).unsqueeze(-1)
    return table[token_ids] * keep
