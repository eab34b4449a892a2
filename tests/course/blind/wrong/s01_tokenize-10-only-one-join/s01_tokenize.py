from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise


def merge(symbols: Sequence[bytes], ranks: Mapping[tuple[bytes, bytes], int]) -> list[bytes]:
    pairs = list(pairwise(symbols))
    known = [i for i in range(len(pairs)) if pairs[i] in ranks]
    if not known:
        return list(symbols)
    i = min(known, key=lambda i: ranks[pairs[i]])
    return list(symbols[:i]) + [symbols[i] + symbols[i + 1]] + list(symbols[i + 2 :])


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
