"""Etapa 1: de text a identificadors."""

from collections.abc import Iterable, Mapping, Sequence


def _millor_parella(peces, ranks):
    """Posicio de la parella amb el rang mes baix, o None."""
    millor, on = None, None
    for i in range(len(peces) - 1):
        rang = ranks.get((peces[i], peces[i + 1]))
        if rang is not None and (millor is None or rang < millor):
            millor, on = rang, i
    return on


def merge(symbols: Sequence[bytes], ranks: Mapping[tuple[bytes, bytes], int]) -> list[bytes]:
    peces = list(symbols)
    on = _millor_parella(peces, ranks)
    while on is not None:
        peces[on] = peces[on] + peces.pop(on + 1)
        on = _millor_parella(peces, ranks)
    return peces


def _identificadors(peca, vocab):
    num = vocab.get(peca)
    if num:
        return [num]
    return [vocab[bytes((b,))] for b in peca]


def encode(
    words: Iterable[Sequence[bytes]],
    vocab: Mapping[bytes, int],
    ranks: Mapping[tuple[bytes, bytes], int],
    bos_id: int | None = None,
) -> list[int]:
    eixida = [] if bos_id is None else [bos_id]
    for paraula in words:
        for peca in merge(paraula, ranks):
            eixida += _identificadors(peca, vocab)
    return eixida


def decode(ids: Iterable[int], id_to_bytes: Mapping[int, bytes]) -> str:
    tot = bytearray()
    for num in ids:
        tot += id_to_bytes[num]
    return tot.decode("utf-8", "replace")
