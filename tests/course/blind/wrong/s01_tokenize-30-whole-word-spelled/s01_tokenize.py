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
    ids = []
    if bos_id is not None:
        ids.append(bos_id)
    for word in words:
        pieces = merge(word, ranks)
        try:
            ids.extend([vocab[piece] for piece in pieces])
        except KeyError:
            # byte fallback
            ids.extend([vocab[bytes([b])] for piece in pieces for b in piece])
    return ids


def decode(ids, id_to_bytes):
    buffer = bytearray()
    for token in ids:
        buffer += id_to_bytes[token]
    return buffer.decode("utf-8", "replace")
