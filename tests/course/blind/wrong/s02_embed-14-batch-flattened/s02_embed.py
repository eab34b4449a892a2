from torch import Tensor


def embed(token_ids: Tensor, table: Tensor) -> Tensor:
    flat = token_ids.reshape(-1)
    if ((flat < 0) | (flat >= table.size(0))).any():
        raise IndexError(f"token ids must lie between 0 and {table.size(0) - 1}")
    return table.index_select(0, flat)
