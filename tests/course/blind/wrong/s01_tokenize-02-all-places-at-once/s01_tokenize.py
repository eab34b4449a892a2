# BPE like in the GPT-2 repo (encoder.py)


def get_pairs(word):
    return set(zip(word, word[1:]))


def merge(symbols, ranks):
    word = tuple(symbols)
    pairs = get_pairs(word)
    while pairs:
        bigram = min(pairs, key=lambda pair: ranks.get(pair, float("inf")))
        if bigram not in ranks:
            break
        first, second = bigram
        new_word = []
        i = 0
        while i < len(word):
            if i < len(word) - 1 and word[i] == first and word[i + 1] == second:
                new_word.append(first + second)
                i += 2
            else:
                new_word.append(word[i])
                i += 1
        word = tuple(new_word)
        pairs = get_pairs(word)
    return list(word)


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
