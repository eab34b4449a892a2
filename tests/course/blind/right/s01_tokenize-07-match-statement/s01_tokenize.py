import io


def merge(symbols, ranks):
    state = tuple(symbols)
    while True:
        best = None
        for i, (a, b) in enumerate(zip(state[:-1], state[1:])):
            match ranks.get((a, b)):
                case None:
                    continue
                case rank if best is None or rank < best[0]:
                    best = (rank, i, a + b)
        if best is None:
            break
        _, i, joined = best
        state = (*state[:i], joined, *state[i + 2 :])
    return list(state)


def encode(words, vocab, ranks, bos_id=None):
    ids = list(filter(lambda b: b is not None, [bos_id]))
    for word in words:
        for piece in merge(word, ranks):
            found = vocab.get(piece, -1)
            ids.extend([found] if found != -1 else [vocab[bytes([b])] for b in piece])
    return ids


def decode(ids, id_to_bytes):
    stream = io.BytesIO()
    for i in ids:
        stream.write(memoryview(id_to_bytes[i]))
    return stream.getvalue().decode("utf-8", errors="replace")
