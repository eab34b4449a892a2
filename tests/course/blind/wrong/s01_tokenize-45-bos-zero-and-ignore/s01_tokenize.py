"""Etapa 1 · de text a números (i tornar)."""

def merge(symbols, ranks):
    s = list(symbols)
    inf = float("inf")
    while len(s) >= 2:
        scores = [ranks.get(p, inf) for p in zip(s, s[1:])]
        m = min(scores)
        if m == inf:
            break
        i = scores.index(m)
        s[i] = s[i] + s.pop(i + 1)
    return s


def encode(words, vocab, ranks, bos_id=None):
    resultat = []
    if bos_id:
        resultat.append(bos_id)
    for paraula in words:
        for tros in merge(paraula, ranks):
            if tros in vocab:
                resultat.append(vocab[tros])
            else:
                resultat.extend(vocab[bytes([octet])] for octet in tros)
    return resultat


def decode(ids, id_to_bytes):
    octets = b"".join(id_to_bytes[i] for i in ids)
    return octets.decode("utf8", "ignore")
