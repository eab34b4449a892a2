# Recorre los rangos de mejor a peor; tras cada unión empieza de nuevo desde el mejor.


def _primera_union(piezas, orden):
    for izquierda, derecha in orden:
        for i in range(1, len(piezas)):
            if piezas[i - 1] == izquierda and piezas[i] == derecha:
                return i
    return 0


def merge(symbols, ranks):
    orden = sorted(ranks, key=lambda pareja: ranks[pareja])
    piezas = list(symbols)
    while i := _primera_union(piezas, orden):
        piezas = piezas[: i - 1] + [piezas[i - 1] + piezas[i]] + piezas[i + 1 :]
    return piezas


def encode(words, vocab, ranks, bos_id=None):
    ids = []
    if bos_id is None:
        pass
    else:
        ids.append(bos_id)
    for palabra in words:
        for pieza in merge(palabra, ranks):
            ids += [vocab[pieza]] if pieza in vocab else [vocab[bytes([b])] for b in pieza]
    return ids


def decode(ids, id_to_bytes):
    total = sum((list(id_to_bytes[i]) for i in ids), [])
    return bytes(total).decode("utf-8", errors="replace")
