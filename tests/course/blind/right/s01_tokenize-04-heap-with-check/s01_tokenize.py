import heapq
from functools import reduce


def merge(symbols, ranks):
    parts = list(symbols)
    n = len(parts)
    after = [i + 1 for i in range(n)]
    before = [i - 1 for i in range(n)]
    alive = [True] * n
    heap = []

    def offer(i):
        if i < 0 or after[i] >= n:
            return
        j = after[i]
        pair = (parts[i], parts[j])
        if pair in ranks:
            heapq.heappush(heap, (ranks[pair], i, j, pair))

    for i in range(n):
        offer(i)
    while heap:
        _, i, j, pair = heapq.heappop(heap)
        if not (alive[i] and alive[j]) or after[i] != j or (parts[i], parts[j]) != pair:
            continue  # out of date
        parts[i] += parts[j]
        alive[j] = False
        after[i] = after[j]
        if after[i] < n:
            before[after[i]] = i
        offer(before[i])
        offer(i)
    return [p for p, ok in zip(parts, alive) if ok]


def encode(words, vocab, ranks, bos_id=None):
    start = [] if bos_id is None else [bos_id]

    def add(ids, piece):
        return ids + ([vocab[piece]] if piece in vocab else [vocab[bytes([b])] for b in piece])

    return reduce(add, (piece for word in words for piece in merge(word, ranks)), start)


def decode(ids, id_to_bytes):
    return str(b"".join([id_to_bytes[i] for i in ids]), "utf-8", "replace")
