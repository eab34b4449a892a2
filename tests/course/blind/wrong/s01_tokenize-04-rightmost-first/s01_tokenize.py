"""stage 1"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise


def merge(symbols, ranks):
    symbols = list(symbols)
    while True:
        best_rank = None
        best_i = -1
        for i in range(len(symbols) - 1):
            r = ranks.get((symbols[i], symbols[i + 1]), None)
            if r is None:
                continue
            if best_rank is None or r <= best_rank:
                best_rank = r
                best_i = i
        if best_rank is None:
            return symbols
        symbols = (
            symbols[:best_i]
            + [symbols[best_i] + symbols[best_i + 1]]
            + symbols[best_i + 2 :]
        )


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
