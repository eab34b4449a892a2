"""Words repeat a lot in a text, so remember what was already computed."""

from itertools import pairwise

_seen = {}


def merge(symbols, ranks):
    key = tuple(symbols)
    if key in _seen:
        return list(_seen[key])
    out = list(symbols)
    while True:
        pairs = [(ranks[p], i) for i, p in enumerate(pairwise(out)) if p in ranks]
        if not pairs:
            break
        i = min(pairs)[1]
        out[i : i + 2] = [out[i] + out[i + 1]]
    _seen[key] = tuple(out)
    return out


def _ids_of_piece(piece, vocab):
    if piece in vocab:
        return [vocab[piece]]
    return [vocab[piece[i : i + 1]] for i in range(len(piece))]


def encode(words, vocab, ranks, bos_id=None):
    ids = []
    if bos_id is not None:
        ids = [bos_id]
    for word in words:
        for piece in merge(word, ranks):
            ids += _ids_of_piece(piece, vocab)
    return ids


def decode(ids, id_to_bytes):
    """Turn ids back into text."""
    return b"".join(id_to_bytes[i] for i in ids).decode("utf-8", errors="replace")
