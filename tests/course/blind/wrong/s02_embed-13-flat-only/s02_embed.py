import torch


def embed(token_ids, table):
    V, D = table.shape
    out = torch.empty(0, D, dtype=table.dtype)
    for token in token_ids:
        token = int(token)
        if token < 0 or token >= V:
            raise IndexError(f"token ids must lie between 0 and {V - 1}")
        out = torch.cat([out, table[token].unsqueeze(0)])
    return out
