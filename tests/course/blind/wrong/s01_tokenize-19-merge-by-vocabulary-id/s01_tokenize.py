"""As tiktoken: the id of a piece is its rank."""

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


def _merge_with_vocab(word, vocab):
    toks = list(word)
    while True:
        best = None
        for i in range(len(toks) - 1):
            rank = vocab.get(toks[i] + toks[i + 1])
            if rank is not None and (best is None or rank < best[0]):
                best = (rank, i)
        if best is None:
            return toks
        i = best[1]
        toks[i : i + 2] = [toks[i] + toks[i + 1]]


def encode(words, vocab, ranks, bos_id=None):
    ids = [] if bos_id is None else [bos_id]
    for word in words:
        for tok in _merge_with_vocab(word, vocab):
            if tok in vocab:
                ids.append(vocab[tok])
            else:
                ids += [vocab[bytes([b])] for b in tok]
    return ids


def decode(ids, id_to_bytes):
    raw = b""
    for i in ids:
        raw = raw + id_to_bytes[i]
    return str(raw, encoding="utf-8", errors="replace")
