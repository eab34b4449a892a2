"""Stage 1: a priority queue of candidate joins over a doubly linked list."""

import heapq
from collections.abc import Iterable, Mapping, Sequence


def merge(symbols: Sequence[bytes], ranks: Mapping[tuple[bytes, bytes], int]) -> list[bytes]:
    n = len(symbols)
    text = {i: s for i, s in enumerate(symbols)}
    nxt = {i: i + 1 for i in range(n)}
    prv = {i: i - 1 for i in range(n)}
    heap = []

    def offer(i):
        j = nxt.get(i, n)
        if i in text and j in text:
            rank = ranks.get((text[i], text[j]))
            if rank is not None:
                heapq.heappush(heap, (rank, i, text[i], text[j]))

    for i in range(n):
        offer(i)
    while heap:
        _, i, left, right = heapq.heappop(heap)
        j = nxt.get(i, n)
        if text.get(i) != left or text.get(j) != right:
            continue  # one of the two has been joined to something in the meantime
        text[i] = left + right
        del text[j]
        nxt[i] = nxt[j]
        if nxt[i] in text:
            prv[nxt[i]] = i
        offer(i)
        if prv[i] >= 0:
            offer(prv[i])
    return [text[i] for i in sorted(text)]


def encode(
    words: Iterable[Sequence[bytes]],
    vocab: Mapping[bytes, int],
    ranks: Mapping[tuple[bytes, bytes], int],
    bos_id: int | None = None,
) -> list[int]:
    def ids():
        if bos_id is not None:
            yield bos_id
        for word in words:
            for piece in merge(word, ranks):
                try:
                    yield vocab[piece]
                except KeyError:
                    for byte in piece:
                        yield vocab[byte.to_bytes(1, "big")]

    return [*ids()]


def decode(ids: Iterable[int], id_to_bytes: Mapping[int, bytes]) -> str:
    return str(b"".join(map(id_to_bytes.__getitem__, ids)), "utf-8", "replace")
