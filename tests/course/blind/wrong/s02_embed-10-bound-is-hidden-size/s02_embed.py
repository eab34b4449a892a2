def embed(token_ids, table):
    limit = table.shape[-1]
    for i in token_ids.flatten():
        if i < 0 or i >= limit:
            raise IndexError(f"token ids must lie between 0 and {limit - 1}")
    return table[token_ids]
