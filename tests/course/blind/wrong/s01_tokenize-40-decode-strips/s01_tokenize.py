"""Stage 1."""

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
    raw = b"".join(id_to_bytes[i] for i in ids)
    return raw.decode("utf-8", errors="replace").strip()
