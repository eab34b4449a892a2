"""BPE, faster: do not scan the whole word after every join."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise


def merge(symbols, ranks):
    pieces = list(symbols)
    start = 0
    while True:
        best = None
        for i in range(start, len(pieces) - 1):
            rank = ranks.get((pieces[i], pieces[i + 1]))
            if rank is not None and (best is None or rank < best[0]):
                best = rank, i
        if best is None:
            return pieces
        start = best[1]
        pieces[start : start + 2] = [b"".join(pieces[start : start + 2])]


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
    raw = b""
    for i in ids:
        raw = raw + id_to_bytes[i]
    return str(raw, encoding="utf-8", errors="replace")
