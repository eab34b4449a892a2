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
    # first see which words there are, every different word is merged only once
    merged = {tuple(word): merge(word, ranks) for word in words}
    ids = [] if bos_id is None else [bos_id]
    for word in words:
        for piece in merged[tuple(word)]:
            if piece in vocab:
                ids.append(vocab[piece])
            else:
                ids.extend(vocab[bytes([b])] for b in piece)
    return ids


def decode(ids, id_to_bytes):
    raw = b""
    for i in ids:
        raw = raw + id_to_bytes[i]
    return str(raw, encoding="utf-8", errors="replace")
