from collections.abc import Iterable, Mapping, Sequence


def merge(symbols: Sequence[bytes], ranks: Mapping[tuple[bytes, bytes], int]) -> list[bytes]:
    result = list(symbols)
    while True:
        where = {(a, b): i for i, (a, b) in enumerate(zip(result, result[1:])) if (a, b) in ranks}
        if not where:
            return result
        pair = min(where, key=ranks.__getitem__)
        i = where[pair]
        result[i] += result[i + 1]
        del result[i + 1]


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


def decode(ids, id_to_bytes):
    buffer = bytearray()
    for token in ids:
        buffer += id_to_bytes[token]
    return buffer.decode("utf-8", "replace")
