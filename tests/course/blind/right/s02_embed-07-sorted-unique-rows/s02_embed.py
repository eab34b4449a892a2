import torch


def embed(token_ids, table):
    """Every different token is read from the table only once."""
    distinct, where = torch.unique(token_ids, return_inverse=True)
    size = len(table)
    if len(distinct) and not (0 <= int(distinct[0]) and int(distinct[-1]) < size):
        raise IndexError(f"token ids must lie between 0 and {size - 1}")
    return table.index_select(0, distinct.long())[where]
