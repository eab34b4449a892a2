import math


def embed(token_ids, table):
    V, D = table.shape
    if (token_ids < 0).any() or (token_ids >= V).any():
        raise IndexError(f"token ids must lie between 0 and {V - 1}")
    return table[token_ids] * math.sqrt(D)
