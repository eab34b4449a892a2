"""Stage 2: one row after the other in a Python loop."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def embed(token_ids: Int[Tensor, "... T"], table: Float[Tensor, "V D"]) -> Float[Tensor, "... T D"]:
    size, width = table.shape
    rows = [table[:0]]  # keeps the connection with the table also where there are no ids
    for number in token_ids.reshape(-1).tolist():
        if not 0 <= number < size:
            raise IndexError(f"token ids must lie between 0 and {size - 1}")
        rows.append(table[number : number + 1])
    return torch.cat(rows).reshape(*token_ids.shape, width)
