# E^T x: transposem la taula
def embed(token_ids, table):
    V = table.shape[0]
    if token_ids.lt(0).any() or token_ids.ge(V).any():
        raise IndexError(f"token ids must lie between 0 and {V - 1}")
    return table.T[token_ids]
