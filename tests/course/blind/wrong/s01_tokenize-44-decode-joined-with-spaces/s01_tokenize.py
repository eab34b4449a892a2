def merge(symbols, ranks):
    toks = list(symbols)
    while len(toks) > 1:
        candidates = [
            (ranks[(toks[i], toks[i + 1])], i)
            for i in range(len(toks) - 1)
            if (toks[i], toks[i + 1]) in ranks
        ]
        if not candidates:
            break
        _, i = min(candidates)
        toks = toks[:i] + [toks[i] + toks[i + 1]] + toks[i + 2 :]
    return toks


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
    return b" ".join(id_to_bytes[i] for i in ids).decode("utf-8", errors="replace")
