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


def _ids_of_piece(piece, vocab):
    if piece in vocab:
        return [vocab[piece]]
    return [vocab[piece[i : i + 1]] for i in range(len(piece))]


def encode(words, vocab, ranks, bos_id=None):
    ids = []
    if bos_id is not None:
        ids = [bos_id]
    for word in words:
        for piece in merge(word, ranks):
            ids += _ids_of_piece(piece, vocab)
    return ids


def decode(ids, id_to_bytes):
    return "".join(id_to_bytes[i].decode("utf-8", errors="replace") for i in ids)
