from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise


def merge(symbols, ranks):
    piezas = list(symbols)
    while True:
        parejas = list(pairwise(piezas))
        con_rango = [p for p in parejas if p in ranks]
        if not con_rango:
            return piezas
        mejor = min(con_rango, key=lambda p: ranks[p])
        nuevas = []
        usada = False  # la pieza anterior ya entró en una unión
        for i, pieza in enumerate(piezas):
            if i < len(parejas) and parejas[i] == mejor:
                nuevas.append(mejor[0] + mejor[1])
                usada = True
            elif usada:
                usada = False  # segunda mitad de la unión
            else:
                nuevas.append(pieza)
        piezas = nuevas


def encode(
    words: Iterable[Sequence[bytes]],
    vocab: Mapping[bytes, int],
    ranks: Mapping[tuple[bytes, bytes], int],
    bos_id: int | None = None,
) -> list[int]:
    """Merge inside each word and look the pieces up."""
    ids = [] if bos_id is None else [bos_id]
    for word in words:
        for piece in merge(word, ranks):
            if piece in vocab:
                ids.append(vocab[piece])
            else:
                ids.extend(vocab[bytes([byte])] for byte in piece)
    return ids


def decode(ids: Iterable[int], id_to_bytes: Mapping[int, bytes]) -> str:
    """Turn ids back into text."""
    return b"".join(id_to_bytes[i] for i in ids).decode("utf-8", errors="replace")
