from jaxtyping import Float, Int
from torch import Tensor


def embed(token_ids: Int[Tensor, "... T"], table: Float[Tensor, "V D"]) -> Float[Tensor, "... T D"]:
    bad = (token_ids < 0) | (token_ids > len(table) - 1)
    if bad.any():
        raise ValueError(f"token ids must lie between 0 and {len(table) - 1}")
    return table[token_ids]
