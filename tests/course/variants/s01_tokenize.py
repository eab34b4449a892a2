"""Right ways to write stage 1 that look different."""
# ruff: noqa: F821, RUF007

from token_journey.course.misconceptions import rewrite


@rewrite("merge", "the best pair first, then its first place")
def pair_then_place(symbols, ranks):
    symbols = tuple(symbols)
    while True:
        pairs = list(zip(symbols, symbols[1:], strict=False))
        best = min(ranks.keys() & set(pairs), key=ranks.__getitem__, default=None)
        if best is None:
            return list(symbols)
        i = pairs.index(best)
        symbols = (*symbols[:i], b"".join(best), *symbols[i + 2 :])


@rewrite("merge", "by recursion: join one place, then merge what is left")
def by_recursion(symbols, ranks):
    pairs = zip(symbols, symbols[1:], strict=False)
    ranked = [(ranks[pair], i) for i, pair in enumerate(pairs) if pair in ranks]
    if not ranked:
        return list(symbols)
    _, i = min(ranked)
    return by_recursion([*symbols[:i], symbols[i] + symbols[i + 1], *symbols[i + 2 :]], ranks)


@rewrite("merge", "with a queue, as the tokenizers library does")
def with_a_queue(symbols, ranks):
    import heapq

    pieces = dict(enumerate(symbols))
    after = {i: i + 1 for i in range(len(symbols) - 1)}
    queue = []

    def offer(i):
        if i in pieces and i in after and (pieces[i], pieces[after[i]]) in ranks:
            pair = pieces[i], pieces[after[i]]
            heapq.heappush(queue, (ranks[pair], i, pair))

    for i in range(len(symbols)):
        offer(i)
    while queue:
        _, i, pair = heapq.heappop(queue)
        j = after.get(i)
        if i not in pieces or j is None or (pieces[i], pieces[j]) != pair:
            continue  # one of the two was joined to another in the meantime
        pieces[i] += pieces.pop(j)
        if j in after:
            after[i] = after.pop(j)
        else:
            del after[i]
        for k in [k for k, following in after.items() if following == i] + [i]:
            offer(k)
    return [pieces[i] for i in sorted(pieces)]


@rewrite("encode", "with a generator and errors as the way to bytes")
def by_generator(words, vocab, ranks, bos_id=None):
    def ids():
        if bos_id is not None:
            yield bos_id
        for word in words:
            for piece in merge(word, ranks):
                try:
                    yield vocab[piece]
                except KeyError:
                    yield from (vocab[piece[i : i + 1]] for i in range(len(piece)))

    return list(ids())


@rewrite("encode", "bytes before merges: what has no id is spelled first, as tokenizers does")
def bytes_first(words, vocab, ranks, bos_id=None):
    ids = [] if bos_id is None else [bos_id]
    for word in words:
        spelled = []
        for symbol in word:
            spelled += [symbol] if symbol in vocab else [bytes([byte]) for byte in symbol]
        ids += [vocab[piece] for piece in merge(spelled, ranks)]
    return ids


@rewrite("decode", "byte by byte, with a decoder that remembers")
def with_memory(ids, id_to_bytes):
    import codecs

    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    text = "".join(decoder.decode(id_to_bytes[i]) for i in ids)
    return text + decoder.decode(b"", final=True)


@rewrite("decode", "in one bytearray")
def in_one_bytearray(ids, id_to_bytes):
    text = bytearray()
    for i in ids:
        text += id_to_bytes[i]
    return str(text, "utf-8", "replace")
