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
    out = [] if bos_id is None else [bos_id]
    for w in words:
        for piece in merge(w, ranks):
            if piece in vocab:
                out.append(vocab[piece])
                continue
            for char in piece.decode("utf-8", errors="surrogateescape"):
                raw = char.encode("utf-8", errors="surrogateescape")
                if raw in vocab:
                    out.append(vocab[raw])
                else:
                    out.extend(vocab[bytes([b])] for b in raw)
    return out


def decode(ids, id_to_bytes):
    raw = b""
    for i in ids:
        raw = raw + id_to_bytes[i]
    return str(raw, encoding="utf-8", errors="replace")
