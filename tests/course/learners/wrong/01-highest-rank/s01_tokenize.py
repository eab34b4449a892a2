"""Stage 1: tokenize."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise


def _best_spot(pieces, ranks):
    """Where the best pair starts, or None."""
    best_rank = None
    best_at = None
    for at, pair in enumerate(pairwise(pieces)):
        if pair not in ranks:
            continue
        # a better rank than the best one so far? (strict, so that the leftmost wins)
        if best_rank is None or ranks[pair] > best_rank:
            best_rank = ranks[pair]
            best_at = at
    return best_at


def merge(symbols: Sequence[bytes], ranks: Mapping[tuple[bytes, bytes], int]) -> list[bytes]:
    pieces = list(symbols)
    while True:
        at = _best_spot(pieces, ranks)
        if at is None:
            return pieces
        pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]


def encode(
    words: Iterable[Sequence[bytes]],
    vocab: Mapping[bytes, int],
    ranks: Mapping[tuple[bytes, bytes], int],
    bos_id: int | None = None,
) -> list[int]:
    ids = []
    if bos_id is not None:
        ids.append(bos_id)
    for word in words:
        for piece in merge(word, ranks):
            if piece in vocab:
                ids.append(vocab[piece])
            else:
                for number in piece:
                    ids.append(vocab[bytes([number])])
    return ids


def decode(ids: Iterable[int], id_to_bytes: Mapping[int, bytes]) -> str:
    everything = b""
    for i in ids:
        everything += id_to_bytes[i]
    return everything.decode("utf-8", errors="replace")
