def embed(token_ids, table):
    vocab_size, _ = table.shape
    if (token_ids >= vocab_size).any():
        raise IndexError(f"token ids must lie between 0 and {vocab_size - 1}")
    return table[token_ids]
