def embed(token_ids, table):
    if token_ids.numel() > 0:
        smallest, largest = int(token_ids.min()), int(token_ids.max())
        if smallest < 0 or largest > table.shape[0] - 1:
            raise IndexError("an id is not in the table")
    return table[token_ids]
