from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise


def merge(symbols, ranks):
    if len(symbols) < 2:
        return symbols
    ranked = {i: ranks[p] for i, p in enumerate(pairwise(symbols)) if p in ranks}
    if not ranked:
        return symbols
    i = min(ranked, key=ranked.get)
    joined = [*symbols[:i], symbols[i] + symbols[i + 1], *symbols[i + 2 :]]
    return merge(joined, ranks)


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
    raw = b""
    for i in ids:
        raw = raw + id_to_bytes[i]
    return str(raw, encoding="utf-8", errors="replace")
