_layer = None


def embed(token_ids, table):
    global _layer
    if _layer is None:
        _layer = table
    V = _layer.shape[0]
    if (token_ids < 0).any() or (token_ids >= V).any():
        raise IndexError(f"token ids must lie between 0 and {V - 1}")
    return _layer[token_ids]
