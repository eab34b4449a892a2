from itertools import pairwise

INF = float("inf")


def merge(symbols, ranks):
    current = list(symbols)
    while True:
        rank, i = min((ranks.get(pair, INF), i) for i, pair in enumerate(pairwise(current)))
        if rank == INF:
            return current
        current[i : i + 2] = [current[i] + current[i + 1]]
        if len(current) == 1:
            return current


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
    """Turn ids back into text."""
    return b"".join(id_to_bytes[i] for i in ids).decode("utf-8", errors="replace")
