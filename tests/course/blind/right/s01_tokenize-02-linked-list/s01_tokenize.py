class Node:
    """Una peça i la que ve darrere."""

    __slots__ = ("peça", "seguent")

    def __init__(self, peça, seguent=None):
        self.peça, self.seguent = peça, seguent


def _cadena(simbols):
    cap = None
    for s in reversed(tuple(simbols)):
        cap = Node(s, cap)
    return cap


def _camina(cap):
    while cap is not None:
        yield cap
        cap = cap.seguent


def merge(symbols, ranks):
    cap = _cadena(symbols)
    while True:
        millor, rang = None, None
        for node in _camina(cap):
            if node.seguent is None:
                continue
            r = ranks.get((node.peça, node.seguent.peça))
            # estrictament més baix: en cas d'empat guanya l'esquerra
            if r is not None and (rang is None or r < rang):
                millor, rang = node, r
        if millor is None:
            return [node.peça for node in _camina(cap)]
        millor.peça += millor.seguent.peça
        millor.seguent = millor.seguent.seguent


def encode(words, vocab, ranks, bos_id=None):
    def tots():
        if bos_id is not None:
            yield bos_id
        for paraula in words:
            for peça in merge(paraula, ranks):
                if peça in vocab:
                    yield vocab[peça]
                else:
                    for octet in peça:
                        yield vocab[octet.to_bytes(1, "big")]

    return list(tots())


def decode(ids, id_to_bytes):
    return b"".join(map(lambda i: id_to_bytes[i], ids)).decode("utf-8", "replace")
