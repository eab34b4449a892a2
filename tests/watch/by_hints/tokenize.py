def merge(symbols, ranks):
    pieces = list(symbols)
    while len(pieces) >= 2:
        best_place, best_rank = None, None
        for place in range(len(pieces) - 1):
            rank = ranks.get((pieces[place], pieces[place + 1]))
            if rank is not None and (best_rank is None or rank < best_rank):
                best_place, best_rank = place, rank
        if best_place is None:
            break
        joined = pieces[best_place] + pieces[best_place + 1]
        pieces = [*pieces[:best_place], joined, *pieces[best_place + 2 :]]
    return pieces


def encode(words, vocab, ranks, bos_id=None):
    ids = []
    if bos_id is not None:
        ids.append(bos_id)
    for word in words:
        for piece in merge(word, ranks):
            if piece in vocab:
                ids.append(vocab[piece])
            else:
                for number in piece:
                    ids.append(vocab[bytes([number])])
    return ids


def decode(ids, id_to_bytes):
    together = b""
    for i in ids:
        together += id_to_bytes[i]
    return together.decode("utf-8", "replace")
