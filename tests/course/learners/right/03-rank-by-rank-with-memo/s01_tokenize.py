"""Etapa 1: llista de rangs en paral·lel, memòria de paraules dins de `encode`."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain

SENSE = float("inf")


def merge(symbols: Sequence[bytes], ranks: Mapping[tuple[bytes, bytes], int]) -> list[bytes]:
    peces = [s for s in symbols]

    def rang(i):
        if 0 <= i < len(peces) - 1:
            return ranks.get((peces[i], peces[i + 1]), SENSE)
        return SENSE

    # rangs[i] és el rang de la parella (i, i + 1); només canvien els veïns de cada unió
    rangs = [rang(i) for i in range(len(peces))]
    while rangs and min(rangs) < SENSE:
        i = rangs.index(min(rangs))
        peces[i : i + 2] = (b"".join(peces[i : i + 2]),)
        del rangs[i + 1]
        rangs[i] = rang(i)
        if i:
            rangs[i - 1] = rang(i - 1)
    return peces


def encode(
    words: Iterable[Sequence[bytes]],
    vocab: Mapping[bytes, int],
    ranks: Mapping[tuple[bytes, bytes], int],
    bos_id: int | None = None,
) -> list[int]:
    @lru_cache(maxsize=None)
    def numeros(paraula):
        trossos = (
            (p,) if p in vocab else tuple(map(bytes, zip(p))) for p in merge(paraula, ranks)
        )
        return tuple(vocab[t] for t in chain.from_iterable(trossos))

    principi = () if bos_id is None else (bos_id,)
    return list(chain(principi, chain.from_iterable(numeros(tuple(w)) for w in words)))


def decode(ids: Iterable[int], id_to_bytes: Mapping[int, bytes]) -> str:
    tot = b""
    for n in ids:
        tot = tot + id_to_bytes[n]
    return tot.decode(errors="replace")
