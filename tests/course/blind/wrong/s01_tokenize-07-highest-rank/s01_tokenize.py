from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise


def merge(symbols, ranks):
    parts = list(symbols)
    while True:
        ranked = [
            (ranks[pair], -i) for i, pair in enumerate(pairwise(parts)) if pair in ranks
        ]
        if len(ranked) == 0:
            return parts
        rank, minus_i = max(ranked)  # best pair
        i = -minus_i
        parts = [*parts[:i], parts[i] + parts[i + 1], *parts[i + 2 :]]


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


def decode(ids, id_to_bytes):
    buffer = bytearray()
    for token in ids:
        buffer += id_to_bytes[token]
    return buffer.decode("utf-8", "replace")
