from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise


def merge(symbols: Sequence[bytes], ranks: Mapping[tuple[bytes, bytes], int]) -> list[bytes]:
    """Join neighbours, the best-ranked pair first, until no pair has a rank."""
    pieces = list(symbols)
    while True:
        best, place = None, None
        for i, pair in enumerate(pairwise(pieces)):
            rank = ranks.get(pair)
            if rank is not None and (best is None or rank < best):
                best, place = rank, i
        if place is None:
            return pieces
        pieces[place : place + 2] = [pieces[place] + pieces[place + 1]]


def encode(words, vocab, ranks, bos_id=None):
    ids = [bos_id] if bos_id else []
    for word in words:
        for piece in merge(word, ranks):
            ids.extend([vocab[piece]] if piece in vocab else [vocab[bytes([b])] for b in piece])
    return ids


def decode(ids, id_to_bytes):
    buffer = bytearray()
    for token in ids:
        buffer += id_to_bytes[token]
    return buffer.decode("utf-8", "replace")
