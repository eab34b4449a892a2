from itertools import chain

def merge(symbols, ranks):
    s = list(symbols)
    inf = float("inf")
    while len(s) >= 2:
        scores = [ranks.get(p, inf) for p in zip(s, s[1:])]
        m = min(scores)
        if m == inf:
            break
        i = scores.index(m)
        s[i] = s[i] + s.pop(i + 1)
    return s


def encode(words, vocab, ranks, bos_id=None):
    symbols = list(chain.from_iterable(words))
    ids = []
    for piece in merge(symbols, ranks):
        if piece in vocab:
            ids.append(vocab[piece])
        else:
            ids.extend(vocab[bytes([b])] for b in piece)
    return ids if bos_id is None else [bos_id, *ids]


def decode(ids, id_to_bytes):
    """Turn ids back into text."""
    return b"".join(id_to_bytes[i] for i in ids).decode("utf-8", errors="replace")
