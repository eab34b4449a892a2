"""Tokenize: take the longest piece that the vocabulary knows."""

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
    ids = [] if bos_id is None else [bos_id]
    for word in words:
        rest = b"".join(word)
        while rest:
            for end in range(len(rest), 0, -1):
                if rest[:end] in vocab:
                    ids.append(vocab[rest[:end]])
                    rest = rest[end:]
                    break
            else:
                raise KeyError(rest[:1])
    return ids


def decode(ids, id_to_bytes):
    buffer = bytearray()
    for token in ids:
        buffer += id_to_bytes[token]
    return buffer.decode("utf-8", "replace")
