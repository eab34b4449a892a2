"""Etapa 1: del text als identificadors."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise


def merge(symbols: Sequence[bytes], ranks: Mapping[tuple[bytes, bytes], int]) -> list[bytes]:
    trossos = list(symbols)
    while True:
        candidats = [
            (ranks[parell], lloc) for lloc, parell in enumerate(pairwise(trossos)) if parell in ranks
        ]
        if not candidats:
            break
        _, lloc = min(candidats)  # el rang més baix; si n'hi ha dos, el de l'esquerra
        trossos = trossos[:lloc] + [trossos[lloc] + trossos[lloc + 1]] + trossos[lloc + 2 :]
    return trossos


def encode(
    words: Iterable[Sequence[bytes]],
    vocab: Mapping[bytes, int],
    ranks: Mapping[tuple[bytes, bytes], int],
    bos_id: int | None = None,
) -> list[int]:
    eixida = [] if bos_id is None else [bos_id]
    for paraula in words:
        for tros in merge(paraula, ranks):
            identificador = vocab.get(tros)
            if identificador is not None:
                eixida.append(identificador)
            else:
                # no el coneixem: un identificador per cada byte (0 ... 255)
                eixida.extend(tros)
    return eixida


def decode(ids: Iterable[int], id_to_bytes: Mapping[int, bytes]) -> str:
    return b"".join(id_to_bytes[i] for i in ids).decode("utf-8", "replace")
