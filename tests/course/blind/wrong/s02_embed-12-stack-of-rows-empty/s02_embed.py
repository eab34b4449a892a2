import torch


def embed(token_ids, table):
    """One row per token, one token after the other."""
    if token_ids.dim() > 1:
        return torch.stack([embed(text, table) for text in token_ids])
    rows = []
    for i in token_ids.tolist():
        if not 0 <= i < len(table):
            raise IndexError(f"token ids must lie between 0 and {len(table) - 1}")
        rows.append(table[i])
    return torch.stack(rows)
