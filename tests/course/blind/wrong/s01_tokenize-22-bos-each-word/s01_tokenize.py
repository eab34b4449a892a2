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


def encode_word(word, vocab, ranks, bos_id):
    ids = []
    if bos_id is not None:
        ids.append(bos_id)
    for piece in merge(word, ranks):
        if piece in vocab:
            ids.append(vocab[piece])
        else:
            for byte in piece:
                ids.append(vocab[bytes([byte])])
    return ids


def encode(words, vocab, ranks, bos_id=None):
    result = []
    for word in words:
        result += encode_word(word, vocab, ranks, bos_id)
    return result


def decode(ids, id_to_bytes):
    raw = b""
    for i in ids:
        raw = raw + id_to_bytes[i]
    return str(raw, encoding="utf-8", errors="replace")
