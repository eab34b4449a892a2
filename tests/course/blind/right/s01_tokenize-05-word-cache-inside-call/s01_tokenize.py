"""Tokenize with a word cache. The cache dies with the call, so other ranks are no problem."""

import codecs
from functools import lru_cache


def merge(symbols, ranks):
    pieces = list(symbols)
    while True:
        place = min(
            (i for i in range(len(pieces) - 1) if tuple(pieces[i : i + 2]) in ranks),
            key=lambda i: (ranks[tuple(pieces[i : i + 2])], i),
            default=None,
        )
        if place is None:
            return pieces
        right = pieces.pop(place + 1)
        pieces[place] += right


def encode(words, vocab, ranks, bos_id=None):
    @lru_cache(maxsize=None)
    def word_ids(word):
        ids = []
        for piece in merge(word, ranks):
            if piece in vocab:
                ids.append(vocab[piece])
            else:
                ids.extend(vocab[bytes([b])] for b in piece)
        return tuple(ids)

    out = [] if bos_id is None else [bos_id]
    for word in words:
        out.extend(word_ids(tuple(word)))
    return out


def decode(ids, id_to_bytes):
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = [decoder.decode(id_to_bytes[i]) for i in ids]
    text.append(decoder.decode(b"", final=True))
    return "".join(text)
