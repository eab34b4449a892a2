import torch.nn.functional as F
from torch import no_grad


def embed(token_ids, table):
    V = table.shape[0]
    if ((token_ids < 0) | (token_ids >= V)).any():
        raise IndexError(f"token ids must lie between 0 and {V - 1}")
    return F.embedding(token_ids, table, max_norm=1.0)
