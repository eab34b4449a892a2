"""Recursive BPE."""

from itertools import pairwise


def merge(symbols, ranks):
    parts = list(symbols)
    known = [(ranks[p], i) for i, p in enumerate(pairwise(parts)) if p in ranks]
    if not known:
        return parts
    i = min(known)[1]
    return merge(parts[:i] + [parts[i] + parts[i + 1]] + parts[i + 2 :], ranks)


def encode(words, vocab, ranks, bos_id=None):
    return [b for b in (bos_id,) if b is not None] + [
        number
        for word in words
        for piece in merge(word, ranks)
        for number in (
            (vocab[piece],) if piece in vocab else tuple(vocab[piece[j : j + 1]] for j in range(len(piece)))
        )
    ]


def decode(ids, id_to_bytes):
    return bytes(byte for i in ids for byte in id_to_bytes[i]).decode(errors="replace")
