import torch


def embed(token_ids, table):
    flat = token_ids.flatten()
    for i in flat.tolist():
        if i not in range(table.shape[0]):
            raise IndexError(f"token ids must lie between 0 and {table.shape[0] - 1}")
    rows = torch.index_select(table.t(), 1, flat)  # D, N
    return rows.unflatten(1, token_ids.shape).movedim(0, -2)
