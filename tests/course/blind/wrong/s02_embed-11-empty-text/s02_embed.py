import torch
from jaxtyping import Float, Int
from torch import Tensor


def embed(token_ids, table):
    lo, hi = token_ids.min(), token_ids.max()
    if lo < 0 or hi >= table.shape[0]:
        raise IndexError(f"token ids must lie between 0 and {table.shape[0] - 1}")
    return torch.nn.functional.embedding(token_ids, table)
