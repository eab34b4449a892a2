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


def encode(
    words: Iterable[Sequence[bytes]],
    vocab: Mapping[bytes, int],
    ranks: Mapping[tuple[bytes, bytes], int],
    bos_id: int | None = None,
) -> list[int]:
    """Merge inside each word and look the pieces up."""
    ids = [] if bos_id is None else [bos_id]
    for word in words:
        for piece in merge(word, ranks):
            if piece in vocab:
                ids.append(vocab[piece])
            else:
                ids.extend(vocab[bytes([byte])] for byte in piece)
    return ids


def decode(ids, id_to_bytes):
    return "".join(chr(byte) for i in ids for byte in id_to_bytes[i])
