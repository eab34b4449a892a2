import torch
import torch.nn.functional as F


def embed(token_ids, table):
    """x = onehot @ E"""
    V = table.shape[0]
    if ((token_ids < 0) | (token_ids >= V)).any():
        raise IndexError(f"token ids must lie between 0 and {V - 1}")
    onehot = F.one_hot(token_ids.long(), V).float()
    return onehot @ table.float()
