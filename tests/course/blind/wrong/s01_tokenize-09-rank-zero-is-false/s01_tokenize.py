from collections.abc import Iterable, Mapping
from itertools import pairwise


def merge(symbols, ranks):
    """repeat until there is nothing left to join"""
    NO_RANK = 10**9
    items = list(symbols)
    while len(items) > 1:
        scores = [ranks.get(pair) or NO_RANK for pair in pairwise(items)]
        lowest = min(scores)
        if lowest == NO_RANK:
            break
        at = scores.index(lowest)
        items[at : at + 2] = [items[at] + items[at + 1]]
    return items


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


def decode(ids: Iterable[int], id_to_bytes: Mapping[int, bytes]) -> str:
    """Turn ids back into text."""
    return b"".join(id_to_bytes[i] for i in ids).decode("utf-8", errors="replace")
