def embed(token_ids, table):
    n_tokens = table.shape[0] - 1
    flat = token_ids.reshape(-1).tolist()
    if any(i < 0 or i >= n_tokens for i in flat):
        raise IndexError(f"token ids must lie between 0 and {n_tokens}")
    return table[token_ids]
