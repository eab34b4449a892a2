import heapq


def merge(symbols, ranks):
    parts = list(symbols)
    nxt = list(range(1, len(parts))) + [None]
    prv = [None] + list(range(len(parts) - 1))
    heap = []

    def push(i):
        if i is None or nxt[i] is None:
            return
        r = ranks.get((parts[i], parts[nxt[i]]))
        if r is not None:
            heapq.heappush(heap, (r, i))

    for i in range(len(parts)):
        push(i)
    while heap:
        _, i = heapq.heappop(heap)
        j = nxt[i]
        if parts[i] is None or j is None:
            continue
        parts[i] = parts[i] + parts[j]
        parts[j] = None
        nxt[i] = nxt[j]
        if nxt[i] is not None:
            prv[nxt[i]] = i
        push(i)
        push(prv[i])
    return [p for p in parts if p is not None]


def encode(words, vocab, ranks, bos_id=None):
    out = []
    if bos_id is not None:
        out.append(bos_id)
    for w in words:
        for p in merge(w, ranks):
            try:
                out.append(vocab[p])
            except KeyError:
                # byte fallback
                for b in p:
                    out.append(vocab[bytes((b,))])
    return out


def decode(ids, id_to_bytes):
    buffer = bytearray()
    for token in ids:
        buffer += id_to_bytes[token]
    return buffer.decode("utf-8", "replace")
