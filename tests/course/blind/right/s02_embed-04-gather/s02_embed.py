import torch


def embed(token_ids, table):
    n, width = table.shape
    ids = token_ids.long().reshape(-1, 1)
    if ids.numel() and (int(ids.min()) < 0 or int(ids.max()) >= n):
        raise IndexError(f"token ids must lie between 0 and {n - 1}")
    return torch.gather(table, 0, ids.expand(-1, width)).reshape(*token_ids.shape, width)
