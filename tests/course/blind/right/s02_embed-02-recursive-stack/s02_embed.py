import torch


def embed(token_ids, table):
    V, D = table.shape
    if token_ids.dim() == 0:
        i = token_ids.item()
        if 0 <= i < V:
            return table[i]
        raise IndexError(f"token ids must lie between 0 and {V - 1}")
    if len(token_ids) == 0:
        return table.new_empty((*token_ids.shape, D))
    return torch.stack([embed(part, table) for part in token_ids])
