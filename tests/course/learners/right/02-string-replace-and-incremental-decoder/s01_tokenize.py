"""Stage 1: words as strings with separators; text from an incremental decoder."""

import codecs
from collections.abc import Iterable, Mapping, Sequence

BAR = "\u2502"  # latin-1 has no such character, so no symbol contains it


def _text(symbol):
    return bytes(symbol).decode("latin-1")


def merge(symbols: Sequence[bytes], ranks: Mapping[tuple[bytes, bytes], int]) -> list[bytes]:
    if len(symbols) == 0:
        return []
    line = BAR + BAR.join(_text(s) for s in symbols) + BAR
    while True:
        parts = line[1:-1].split(BAR)
        best = None
        for a, b in zip(parts, parts[1:]):
            rank = ranks.get((a.encode("latin-1"), b.encode("latin-1")))
            if rank is not None and (best is None or rank < best[0]):
                best = rank, a, b
        if best is None:
            return [p.encode("latin-1") for p in parts]
        _, a, b = best
        line = line.replace(BAR + a + BAR + b + BAR, BAR + a + b + BAR, 1)


def encode(
    words: Iterable[Sequence[bytes]],
    vocab: Mapping[bytes, int],
    ranks: Mapping[tuple[bytes, bytes], int],
    bos_id: int | None = None,
) -> list[int]:
    out = []
    for word in words:
        for piece in merge(word, ranks):
            known = piece in vocab
            spelled = [piece] if known else [piece[i : i + 1] for i in range(len(piece))]
            out += [vocab[p] for p in spelled]
    if bos_id is not None:
        out.insert(0, bos_id)
    return out


def decode(ids: Iterable[int], id_to_bytes: Mapping[int, bytes]) -> str:
    reader = codecs.getincrementaldecoder("utf-8")(errors="replace")
    text = ""
    for i in ids:
        text += reader.decode(id_to_bytes[i])
    return text + reader.decode(b"", final=True)
