import torch


def embed(token_ids, table):
    size = table.shape[0]
    if torch.any((token_ids < 0) | (token_ids >= size)):
        raise IndexError(f"token ids must lie between 0 and {size - 1}")
    small = table.bfloat16()  # saves memory
    return small[token_ids].to(table.dtype)
