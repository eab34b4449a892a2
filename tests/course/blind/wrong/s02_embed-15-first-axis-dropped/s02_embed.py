from jaxtyping import Float, Int
from torch import Tensor


def embed(token_ids: Int[Tensor, "... T"], table: Float[Tensor, "V D"]) -> Float[Tensor, "... T D"]:
    V = table.shape[0]
    if bool(((token_ids < 0) | (token_ids >= V)).any()):
        raise IndexError(f"token ids must lie between 0 and {V - 1}")
    return table[token_ids].squeeze()
