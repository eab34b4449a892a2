"""Etapa 1: del texto a los números."""

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
    palabras = list(words)
    if not palabras:
        return []
    ids = [] if bos_id is None else [bos_id]
    for palabra in palabras:
        for pieza in merge(palabra, ranks):
            if pieza in vocab:
                ids.append(vocab[pieza])
            else:
                ids.extend(vocab[bytes([b])] for b in pieza)
    return ids


def decode(ids: Iterable[int], id_to_bytes: Mapping[int, bytes]) -> str:
    """Turn ids back into text."""
    return b"".join(id_to_bytes[i] for i in ids).decode("utf-8", errors="replace")
