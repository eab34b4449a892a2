from collections.abc import Iterable, Mapping, Sequence

NEVER = float("inf")


class Speller(dict):
    """piece -> list of ids; an unknown piece is spelled."""

    def __init__(self, vocab):
        super().__init__((piece, [number]) for piece, number in vocab.items())

    def __missing__(self, piece):
        return [number for byte in piece for number in self[bytes([byte])]] if len(piece) > 1 else self._no(piece)

    def _no(self, piece):
        raise KeyError(piece)


def merge(symbols: Sequence[bytes], ranks: Mapping[tuple[bytes, bytes], int]) -> list[bytes]:
    left = [*symbols]
    while left[1:]:
        scores = [ranks.get(pair, NEVER) for pair in zip(left, left[1:])]
        if (best := min(scores)) == NEVER:
            break
        at = scores.index(best)
        left[at : at + 2] = [left[at] + left[at + 1]]
    return left


def encode(
    words: Iterable[Sequence[bytes]],
    vocab: Mapping[bytes, int],
    ranks: Mapping[tuple[bytes, bytes], int],
    bos_id: int | None = None,
) -> list[int]:
    spell = Speller(vocab)
    ids = [] if bos_id is None else [bos_id]
    for word in words:
        for piece in merge(word, ranks):
            ids += spell[piece]
    return ids


def decode(ids: Iterable[int], id_to_bytes: Mapping[int, bytes]) -> str:
    everything = bytearray()
    for number in ids:
        everything += id_to_bytes[number]
    return everything.decode(encoding="utf-8", errors="replace")
