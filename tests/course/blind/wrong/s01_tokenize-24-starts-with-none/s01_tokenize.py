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
    ids = [bos_id]
    for word in words:
        for piece in merge(word, ranks):
            if piece not in vocab:
                ids.extend(vocab[bytes([x])] for x in piece)
                continue
            ids.append(vocab[piece])
    return ids


def decode(ids, id_to_bytes):
    buffer = bytearray()
    for token in ids:
        buffer += id_to_bytes[token]
    return buffer.decode("utf-8", "replace")
