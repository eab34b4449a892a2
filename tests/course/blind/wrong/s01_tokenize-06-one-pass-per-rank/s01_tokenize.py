# recorrem la taula de rangs en ordre i unim cada parella on la trobem


from collections.abc import Iterable, Mapping


def _unix(peces, parella):
    a, b = parella
    i = 0
    while i + 1 < len(peces):
        if peces[i] == a and peces[i + 1] == b:
            peces[i : i + 2] = [a + b]
        i += 1
    return peces


def merge(symbols, ranks):
    peces = list(symbols)
    for parella in sorted(ranks, key=ranks.get):
        peces = _unix(peces, parella)
    return peces


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


def decode(ids: Iterable[int], id_to_bytes: Mapping[int, bytes]) -> str:
    """Turn ids back into text."""
    return b"".join(id_to_bytes[i] for i in ids).decode("utf-8", errors="replace")
