def merge(symbols, ranks):
    while True:
        best_i, best_r = -1, float("inf")
        for i in range(len(symbols) - 1):
            r = ranks.get((symbols[i], symbols[i + 1]), float("inf"))
            if r < best_r:
                best_i, best_r = i, r
        if best_i < 0:
            return symbols
        symbols[best_i] = symbols[best_i] + symbols[best_i + 1]
        del symbols[best_i + 1]


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
    buffer = bytearray()
    for token in ids:
        buffer += id_to_bytes[token]
    return buffer.decode("utf-8", "replace")
