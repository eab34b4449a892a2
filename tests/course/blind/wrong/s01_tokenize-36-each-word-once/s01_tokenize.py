from collections.abc import Iterable, Mapping


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
    distinct = dict.fromkeys(tuple(word) for word in words)
    ids = [] if bos_id is None else [bos_id]
    for word in distinct:
        for piece in merge(word, ranks):
            if piece in vocab:
                ids.append(vocab[piece])
            else:
                ids.extend(vocab[bytes([b])] for b in piece)
    return ids


def decode(ids: Iterable[int], id_to_bytes: Mapping[int, bytes]) -> str:
    """Turn ids back into text."""
    return b"".join(id_to_bytes[i] for i in ids).decode("utf-8", errors="replace")
