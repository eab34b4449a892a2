import numpy as np

in_range = lambda ids, size: bool(np.all((ids >= 0) & (ids < size)))  # noqa: E731


def embed(token_ids, table):
    if not in_range(token_ids.detach().cpu().numpy(), table.shape[0]):
        raise IndexError("token ids must lie between 0 and " + str(table.shape[0] - 1))
    return table[token_ids.long(), :]
