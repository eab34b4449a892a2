def embed(token_ids, table):
    # everything in the same dtype, as the model wants it
    ids = token_ids.to(table.dtype)
    V = table.shape[0]
    if (token_ids < 0).any() or (token_ids >= V).any():
        raise IndexError(f"token ids must lie between 0 and {V - 1}")
    return table[ids.long().clamp(max=V - 1)]
