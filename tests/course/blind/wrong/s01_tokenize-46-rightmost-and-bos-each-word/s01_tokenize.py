class BPE:
    def __init__(self, ranks):
        self.ranks = ranks

    def best(self, parts):
        best = None
        for i in reversed(range(len(parts) - 1)):
            rank = self.ranks.get((parts[i], parts[i + 1]))
            if rank is not None and (best is None or rank < best[0]):
                best = (rank, i)
        return best

    def __call__(self, symbols):
        parts = list(symbols)
        while (found := self.best(parts)) is not None:
            i = found[1]
            parts[i : i + 2] = [parts[i] + parts[i + 1]]
        return parts


def merge(symbols, ranks):
    return BPE(ranks)(symbols)


def encode(words, vocab, ranks, bos_id=None):
    bpe = BPE(ranks)
    ids = []
    for word in words:
        if bos_id is not None:
            ids.append(bos_id)
        for piece in bpe(word):
            if piece in vocab:
                ids.append(vocab[piece])
            else:
                ids.extend(vocab[bytes([b])] for b in piece)
    return ids


def decode(ids, id_to_bytes):
    """Turn ids back into text."""
    return b"".join(id_to_bytes[i] for i in ids).decode("utf-8", errors="replace")
