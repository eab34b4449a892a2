from jaxtyping import Float, Int
from torch import Tensor


def embed(token_ids: Int[Tensor, "... T"], table: Float[Tensor, "V D"]) -> Float[Tensor, "... T D"]:
    if (token_ids <= 0).any() or (token_ids >= table.shape[0]).any():
        raise IndexError("token ids must lie between 0 and %d" % (table.shape[0] - 1))
    return table.index_select(0, token_ids.flatten()).unflatten(0, token_ids.shape)
