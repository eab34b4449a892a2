UNK = 0

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
    ids = []
    if bos_id is not None:
        ids.append(bos_id)
    for word in words:
        ids += [vocab.get(piece, UNK) for piece in merge(word, ranks)]
    return ids


def decode(ids, id_to_bytes):
    buffer = bytearray()
    for token in ids:
        buffer += id_to_bytes[token]
    return buffer.decode("utf-8", "replace")
