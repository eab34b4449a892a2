import torch.nn.functional as F


def embed(token_ids, table):
    out_of_range = (token_ids < 0) + (token_ids >= table.shape[0])
    if out_of_range.any():
        raise IndexError(f"token ids must lie between 0 and {table.shape[0] - 1}")
    return F.normalize(F.embedding(token_ids, table), dim=-1)
