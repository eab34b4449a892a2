# els rangs: com més baix millor
def merge(symbols, ranks):
    llista = list(symbols)
    canvi = True
    while canvi:
        canvi = False
        millor = None
        for i in range(len(llista) - 2):
            r = ranks.get((llista[i], llista[i + 1]))
            if r is not None and (millor is None or r < millor[0]):
                millor = (r, i)
        if millor:
            i = millor[1]
            llista = llista[:i] + [llista[i] + llista[i + 1]] + llista[i + 2 :]
            canvi = True
    return llista


def encode(words, vocab, ranks, bos_id=None):
    """Merge inside each word and look the pieces up."""
    ids = [] if bos_id is None else [bos_id]
    for word in words:
        for piece in merge(word, ranks):
            if piece in vocab:
                ids.append(vocab[piece])
            else:
                ids.extend(vocab[bytes([byte])] for byte in piece)
    return ids


def decode(ids, id_to_bytes):
    buffer = bytearray()
    for token in ids:
        buffer += id_to_bytes[token]
    return buffer.decode("utf-8", "replace")
