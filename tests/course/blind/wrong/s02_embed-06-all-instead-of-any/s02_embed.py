def embed(token_ids, table):
    V = table.shape[0]
    if token_ids.numel() and (token_ids < 0).all():
        raise IndexError(f"token ids must lie between 0 and {V - 1}")
    return table[token_ids]
