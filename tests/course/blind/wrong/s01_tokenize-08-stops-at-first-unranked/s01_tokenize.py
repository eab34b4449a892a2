"""Tokenizer. Bytes in, ids out."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise


def best_place(pieces, ranks):
    best = None
    for i, pair in enumerate(pairwise(pieces)):
        if pair not in ranks:
            break
        if best is None or ranks[pair] < ranks[pieces[best], pieces[best + 1]]:
            best = i
    return best


def merge(symbols, ranks):
    pieces = list(symbols)
    i = best_place(pieces, ranks)
    while i is not None:
        pieces[i : i + 2] = [pieces[i] + pieces[i + 1]]
        i = best_place(pieces, ranks)
    return pieces


def encode(words, vocab, ranks, bos_id=None):
    out = []
    if bos_id is not None:
        out.append(bos_id)
    for w in words:
        for p in merge(w, ranks):
            try:
                out.append(vocab[p])
            except KeyError:
                # byte fallback
                for b in p:
                    out.append(vocab[bytes((b,))])
    return out


def decode(ids, id_to_bytes):
    raw = b""
    for i in ids:
        raw = raw + id_to_bytes[i]
    return str(raw, encoding="utf-8", errors="replace")
