"""Wrong ways to write stage 1."""
# ruff: noqa: F821, RUF007

from token_journey import misconception

ORDER = "the lesson's worked example: which pair is joined next, and why that one"
GROWING = "the lesson's worked example: what the neighbours are after the first merge"
BYTES = "what the lesson says of a piece that is not in the vocabulary"
BEGIN = "what the lesson says of the begin token"
BYTES_STAY = "what `decode` returns: what is left out, and what becomes of a begin token?"
CHARACTERS = "what the lesson says of characters that take several tokens"


# -- merge --------------------------------------------------------------------


@misconception(
    "merge",
    "the first pair that has a rank is joined, not the best-ranked one",
    "the pairs are tried from left to right, and the first one that has a rank is taken",
    read=ORDER,
)
def first_pair(symbols, ranks):
    symbols, i = list(symbols), 0
    while i < len(symbols) - 1:
        if (symbols[i], symbols[i + 1]) in ranks:
            symbols[i : i + 2] = [symbols[i] + symbols[i + 1]]
            i = 0
        else:
            i += 1
    return symbols


@misconception(
    "merge",
    "merging stops at the first pair without a rank",
    "the pairs are gone through from the left, and those behind one without a rank are never seen",
    read=ORDER,
)
def stops_too_early(symbols, ranks):
    symbols = list(symbols)
    while True:
        seen = []
        for i, pair in enumerate(zip(symbols, symbols[1:], strict=False)):
            if pair not in ranks:
                break
            seen.append((ranks[pair], i))
        if not seen:
            return symbols
        _, i = min(seen)
        symbols[i : i + 2] = [symbols[i] + symbols[i + 1]]


@misconception(
    "merge",
    "the ranks are compared the wrong way round",
    "the pair with the highest rank goes first, though rank 0 is the best",
    read=ORDER,
)
def highest_rank_first(symbols, ranks):
    symbols = list(symbols)
    while len(symbols) > 1:
        pairs = list(zip(symbols, symbols[1:], strict=False))
        best = max(range(len(pairs)), key=lambda i: ranks.get(pairs[i], -1))
        if pairs[best] not in ranks:
            break
        symbols[best : best + 2] = [symbols[best] + symbols[best + 1]]
    return symbols


@misconception(
    "merge",
    "only one pair is joined",
    "after the first merge nothing looks for a second one",
    read=GROWING,
)
def once(symbols, ranks):
    symbols = list(symbols)
    pairs = [p for p in zip(symbols, symbols[1:], strict=False) if p in ranks]
    if pairs:
        i = list(zip(symbols, symbols[1:], strict=False)).index(min(pairs, key=ranks.get))
        symbols[i : i + 2] = [symbols[i] + symbols[i + 1]]
    return symbols


@misconception(
    "merge",
    "each merge is used only once",
    "the merges are gone through by rank, and each joins one place, though a pair may occur again",
    read=GROWING,
)
def each_rank_once(symbols, ranks):
    symbols, word = list(symbols), b"".join(symbols)
    ends = range(len(word) + 1)
    pairs = {(word[i:j], word[j:k]) for i in ends for j in ends[i:] for k in ends[j:]}
    for pair in sorted(pairs & ranks.keys(), key=ranks.get):
        for i in range(len(symbols) - 1):
            if (symbols[i], symbols[i + 1]) == pair:
                symbols[i : i + 2] = [symbols[i] + symbols[i + 1]]
                break
    return symbols


@misconception(
    "merge",
    "only the pairs of the first round are looked at",
    "the pairs are listed once, before anything is joined, so a joined piece never joins again",
    read=GROWING,
)
def one_round(symbols, ranks):
    symbols = list(symbols)
    pairs = set(zip(symbols, symbols[1:], strict=False))
    for pair in sorted(pairs & ranks.keys(), key=ranks.get):
        i = 0
        while i < len(symbols) - 1:
            if (symbols[i], symbols[i + 1]) == pair:
                symbols[i : i + 2] = [symbols[i] + symbols[i + 1]]
            i += 1
    return symbols


@misconception(
    "merge",
    "of several places with the best pair the last one is joined first",
    "a pair that occurs again replaces the place that was found before",
    read=ORDER,
)
def last_place_first(symbols, ranks):
    symbols = list(symbols)
    while len(symbols) > 1:
        places = {pair: i for i, pair in enumerate(zip(symbols, symbols[1:], strict=False))}
        best = min(places, key=lambda pair: ranks.get(pair, float("inf")))
        if best not in ranks:
            break
        i = places[best]
        symbols[i : i + 2] = [symbols[i] + symbols[i + 1]]
    return symbols


@misconception(
    "merge",
    "places that overlap are joined both",
    "the places of the best pair are listed and then all joined, so in `aaa` the middle a is "
    "used twice",
    read=ORDER,
)
def overlapping(symbols, ranks):
    symbols = list(symbols)
    while len(symbols) > 1:
        pairs = list(zip(symbols, symbols[1:], strict=False))
        best = min(pairs, key=lambda pair: ranks.get(pair, float("inf")))
        if best not in ranks:
            break
        joined, used = [], set()
        for i, symbol in enumerate(symbols):
            if i < len(pairs) and pairs[i] == best:
                joined.append(symbol + symbols[i + 1])
                used |= {i, i + 1}
            elif i not in used:
                joined.append(symbol)
        symbols = joined
    return symbols


@misconception(
    "merge",
    "all places of the best pair are joined at once",
    "only one pair is joined at a time: with a new neighbour there may be a better pair than the "
    "same one at its next place",
    read=ORDER,
)
def all_places_at_once(symbols, ranks):
    symbols = list(symbols)
    while len(symbols) > 1:
        pairs = zip(symbols, symbols[1:], strict=False)
        best = min(pairs, key=lambda pair: ranks.get(pair, float("inf")))
        if best not in ranks:
            break
        i = 0
        while i < len(symbols) - 1:
            if (symbols[i], symbols[i + 1]) == best:
                symbols[i : i + 2] = [symbols[i] + symbols[i + 1]]
            i += 1
    return symbols


@misconception(
    "merge",
    "the ranks are gone through only once, from the best to the worst",
    "a join can make a pair whose rank was passed already, and that pair is never joined",
    read=GROWING,
)
def ranks_once_through(symbols, ranks):
    symbols, word = list(symbols), b"".join(symbols)
    ends = range(len(word) + 1)
    pairs = {(word[i:j], word[j:k]) for i in ends for j in ends[i:] for k in ends[j:]}
    for pair in sorted(pairs & ranks.keys(), key=ranks.get):
        i = 0
        while i < len(symbols) - 1:
            if (symbols[i], symbols[i + 1]) == pair:
                symbols[i : i + 2] = [symbols[i] + symbols[i + 1]]
            i += 1
    return symbols


@misconception(
    "merge",
    "pairs without a rank are joined, too",
    "a pair that is not in `ranks` counts as rank 0, so every word ends as one piece",
    read="what `merge` is to do when no pair has a rank",
)
def no_rank_is_rank_0(symbols, ranks):
    symbols = list(symbols)
    while len(symbols) > 1:
        pairs = list(zip(symbols, symbols[1:], strict=False))
        i = min(range(len(pairs)), key=lambda i: ranks.get(pairs[i], 0))
        symbols[i : i + 2] = [symbols[i] + symbols[i + 1]]
    return symbols


@misconception(
    "merge",
    "rank 0 counts as no rank",
    "a test such as `if rank:` is false for rank 0, the best of all",
    read="which rank was learned first",
)
def rank_0_is_no_rank(symbols, ranks):
    symbols = list(symbols)
    while len(symbols) > 1:
        pairs = list(zip(symbols, symbols[1:], strict=False))
        ranked = [i for i, pair in enumerate(pairs) if ranks.get(pair)]
        if not ranked:
            break
        i = min(ranked, key=lambda i: ranks[pairs[i]])
        symbols[i : i + 2] = [symbols[i] + symbols[i + 1]]
    return symbols


@misconception(
    "merge",
    "the word that came in is changed",
    "the pieces are joined inside the caller's own list",
    read="what `merge` returns, and whose list it is given",
)
def in_place(symbols, ranks):
    while len(symbols) > 1:
        pairs = list(zip(symbols, symbols[1:], strict=False))
        best = min(range(len(pairs)), key=lambda i: ranks.get(pairs[i], float("inf")))
        if pairs[best] not in ranks:
            break
        symbols[best : best + 2] = [symbols[best] + symbols[best + 1]]
    return symbols


@misconception(
    "merge",
    "a word with nothing to join comes back itself",
    "the caller's own list is returned, so who changes the pieces changes the word",
    read="what `merge` returns, and what stays as it was",
)
def the_word_itself(symbols, ranks):
    if not any((a, b) in ranks for a, b in zip(symbols, symbols[1:], strict=False)):
        return symbols
    symbols = list(symbols)
    while len(symbols) > 1:
        pairs = list(zip(symbols, symbols[1:], strict=False))
        best = min(range(len(pairs)), key=lambda i: ranks.get(pairs[i], float("inf")))
        if pairs[best] not in ranks:
            break
        symbols[best : best + 2] = [symbols[best] + symbols[best + 1]]
    return symbols


@misconception(
    "merge",
    "a pair is looked up by the bytes that it gives",
    "a pair that has no rank takes that of another with the same bytes together, as tiktoken's "
    "tables would have it",
    read=ORDER,
)
def by_joined_bytes(symbols, ranks):
    symbols, joined = list(symbols), {}
    for (one, other), rank in ranks.items():
        joined[one + other] = min(rank, joined.get(one + other, rank))
    while len(symbols) > 1:
        pairs = [one + other for one, other in zip(symbols, symbols[1:], strict=False)]
        best = min(range(len(pairs)), key=lambda i: joined.get(pairs[i], float("inf")))
        if pairs[best] not in joined:
            break
        symbols[best : best + 2] = [pairs[best]]
    return symbols


# -- encode -------------------------------------------------------------------


@misconception(
    "encode",
    "merges cross from one word into the next",
    "the words are strung together before they are merged",
    read="what a word is to `encode`",
)
def across_words(words, vocab, ranks, bos_id=None):
    ids = [] if bos_id is None else [bos_id]
    for piece in merge([symbol for word in words for symbol in word], ranks):
        ids.extend([vocab[piece]] if piece in vocab else [vocab[bytes([b])] for b in piece])
    return ids


@misconception(
    "encode",
    "nothing is merged",
    "each symbol is looked up as it comes",
    read="what happens to a word before it is looked up",
)
def without_merging(words, vocab, ranks, bos_id=None):
    ids = [] if bos_id is None else [bos_id]
    for word in words:
        for piece in word:
            ids.extend([vocab[piece]] if piece in vocab else [vocab[bytes([b])] for b in piece])
    return ids


@misconception(
    "encode",
    "the longest piece of the vocabulary is taken each time",
    "that is WordPiece's way; BPE's pieces are what its merges lead to",
    read=ORDER,
)
def longest_match(words, vocab, ranks, bos_id=None):
    ids = [] if bos_id is None else [bos_id]
    for word in words:
        rest = b"".join(word)
        while rest:
            end = next(n for n in range(len(rest), 0, -1) if rest[:n] in vocab)
            ids.append(vocab[rest[:end]])
            rest = rest[end:]
    return ids


@misconception(
    "encode",
    "a word that is in the vocabulary is not merged",
    "the whole word is looked up first, though its merges may lead to other pieces",
    read=ORDER,
)
def whole_words_first(words, vocab, ranks, bos_id=None):
    ids = [] if bos_id is None else [bos_id]
    for word in words:
        whole = b"".join(word)
        for piece in [whole] if whole in vocab else merge(word, ranks):
            ids.extend([vocab[piece]] if piece in vocab else [vocab[bytes([b])] for b in piece])
    return ids


@misconception(
    "encode",
    "the begin token is left out",
    "`bos_id` is given and not used",
    read=BEGIN,
)
def without_begin(words, vocab, ranks, bos_id=None):
    ids = []
    for word in words:
        for piece in merge(word, ranks):
            ids.extend([vocab[piece]] if piece in vocab else [vocab[bytes([b])] for b in piece])
    return ids


@misconception(
    "encode",
    "the begin token stands at the end",
    "it is added after the words",
    read=BEGIN,
)
def begin_at_the_end(words, vocab, ranks, bos_id=None):
    ids = []
    for word in words:
        for piece in merge(word, ranks):
            ids.extend([vocab[piece]] if piece in vocab else [vocab[bytes([b])] for b in piece])
    return ids if bos_id is None else [*ids, bos_id]


@misconception(
    "encode",
    "every word gets a begin token",
    "it is added inside the loop, though a text begins once",
    read=BEGIN,
)
def begin_before_each_word(words, vocab, ranks, bos_id=None):
    ids = []
    for word in words:
        ids.extend([] if bos_id is None else [bos_id])
        for piece in merge(word, ranks):
            ids.extend([vocab[piece]] if piece in vocab else [vocab[bytes([b])] for b in piece])
    return ids


@misconception(
    "encode",
    "begin token 0 counts as none",
    "a test such as `if bos_id:` is false for id 0",
    read=BEGIN,
)
def begin_0_is_none(words, vocab, ranks, bos_id=None):
    ids = [bos_id] if bos_id else []
    for word in words:
        for piece in merge(word, ranks):
            ids.extend([vocab[piece]] if piece in vocab else [vocab[bytes([b])] for b in piece])
    return ids


@misconception(
    "encode",
    "a model without a begin token gets one",
    "None stands for no begin token, and here it becomes a token of its own",
    read=BEGIN,
)
def begin_none(words, vocab, ranks, bos_id=None):
    ids = [bos_id]
    for word in words:
        for piece in merge(word, ranks):
            ids.extend([vocab[piece]] if piece in vocab else [vocab[bytes([b])] for b in piece])
    return ids


@misconception(
    "encode",
    "a piece whose id is 0 counts as unknown",
    "a test such as `if vocab.get(piece):` is false for id 0",
    read=BYTES,
)
def id_0_is_unknown(words, vocab, ranks, bos_id=None):
    ids = [] if bos_id is None else [bos_id]
    for word in words:
        for piece in merge(word, ranks):
            ids.extend([vocab[piece]] if vocab.get(piece) else [vocab[bytes([b])] for b in piece])
    return ids


@misconception(
    "encode",
    "a piece that is not in the vocabulary is dropped",
    "pieces without an id are passed over, and their text is lost",
    read=BYTES,
)
def unknown_dropped(words, vocab, ranks, bos_id=None):
    ids = [] if bos_id is None else [bos_id]
    for word in words:
        ids.extend(vocab[piece] for piece in merge(word, ranks) if piece in vocab)
    return ids


@misconception(
    "encode",
    "a piece that is not in the vocabulary becomes id 0",
    "one unknown token stands for it, and its text is lost",
    read=BYTES,
)
def unknown_is_0(words, vocab, ranks, bos_id=None):
    ids = [] if bos_id is None else [bos_id]
    for word in words:
        ids.extend(vocab.get(piece, 0) for piece in merge(word, ranks))
    return ids


@misconception(
    "encode",
    "the value of a byte is taken for its id",
    "a piece that is not in the vocabulary is spelled with numbers from 0 to 255, and each byte "
    "has an id of its own there",
    read=BYTES,
)
def byte_values(words, vocab, ranks, bos_id=None):
    ids = [] if bos_id is None else [bos_id]
    for word in words:
        for piece in merge(word, ranks):
            ids.extend([vocab[piece]] if piece in vocab else piece)
    return ids


@misconception(
    "encode",
    "only the first byte of a piece that is not in the vocabulary is written",
    "a letter such as ç is two bytes, and each needs an id",
    read=BYTES,
)
def first_byte(words, vocab, ranks, bos_id=None):
    ids = [] if bos_id is None else [bos_id]
    for word in words:
        for piece in merge(word, ranks):
            ids.append(vocab[piece] if piece in vocab else vocab[piece[:1]])
    return ids


@misconception(
    "encode",
    "a piece that is not in the vocabulary is spelled in characters",
    "a character that has an id of its own gets that, where each byte should get its own",
    read=BYTES,
)
def spelled_in_characters(words, vocab, ranks, bos_id=None):
    ids = [] if bos_id is None else [bos_id]
    for word in words:
        for piece in merge(word, ranks):
            if piece in vocab:
                ids.append(vocab[piece])
                continue
            for character in piece.decode("utf-8", errors="surrogateescape"):
                spelled = character.encode("utf-8", errors="surrogateescape")
                if spelled in vocab:
                    ids.append(vocab[spelled])
                else:
                    ids.extend(vocab[bytes([byte])] for byte in spelled)
    return ids


@misconception(
    "encode",
    "the space in front of a word is cut off",
    "the words are stripped, though the space is part of the word's first piece",
    read="how the lesson's pieces are written, spaces included",
)
def stripped(words, vocab, ranks, bos_id=None):
    ids = [] if bos_id is None else [bos_id]
    for word in words:
        for piece in merge([symbol for symbol in word if symbol.strip()], ranks):
            ids.extend([vocab[piece]] if piece in vocab else [vocab[bytes([b])] for b in piece])
    return ids


# -- decode -------------------------------------------------------------------


@misconception(
    "decode",
    "each token is turned into text by itself",
    "a character whose bytes lie in several tokens breaks into “�”",
    read=CHARACTERS,
)
def token_by_token(ids, id_to_bytes):
    return "".join(id_to_bytes[i].decode("utf-8", errors="replace") for i in ids)


@misconception(
    "decode",
    "bytes that are not UTF-8 vanish",
    "they are ignored where they should show as “�”",
    read="what `decode` gives for bytes that are not UTF-8",
)
def ignored(ids, id_to_bytes):
    return b"".join(id_to_bytes[i] for i in ids).decode("utf-8", errors="ignore")


@misconception(
    "decode",
    "bytes that are not UTF-8 are an error",
    "the decoder is strict, so a text that ends inside a character can't be shown",
    read="what `decode` gives for bytes that are not UTF-8",
)
def strict(ids, id_to_bytes):
    return b"".join(id_to_bytes[i] for i in ids).decode("utf-8")


@misconception(
    "decode",
    "each byte is read as a character of its own",
    "that is Latin-1, in which ç, two bytes in UTF-8, becomes Ã§",
    read=CHARACTERS,
)
def latin_1(ids, id_to_bytes):
    return b"".join(id_to_bytes[i] for i in ids).decode("latin-1")


@misconception(
    "decode",
    "a space is put between the tokens",
    "the spaces are in the tokens' own bytes already",
    read="how the lesson's pieces are written, spaces included",
)
def spaces_between(ids, id_to_bytes):
    return b" ".join(id_to_bytes[i] for i in ids).decode("utf-8", errors="replace")


@misconception(
    "decode",
    "the spaces at the ends are stripped off",
    "a text may begin with a space, and a single token often does",
    read="how the lesson's pieces are written, spaces included",
)
def text_stripped(ids, id_to_bytes):
    return b"".join(id_to_bytes[i] for i in ids).decode("utf-8", errors="replace").strip()


@misconception(
    "decode",
    "the bytes are printed, not decoded",
    "`str` of bytes shows them as Python writes them, b'...'",
    read=CHARACTERS,
)
def printed(ids, id_to_bytes):
    return str(b"".join(id_to_bytes[i] for i in ids))


@misconception(
    "decode",
    "a byte order mark is eaten",
    "`utf-8-sig` takes U+FEFF off the front of a text, where it is a character like any other",
    read="what `decode` leaves out",
)
def without_the_mark(ids, id_to_bytes):
    return b"".join(id_to_bytes[i] for i in ids).decode("utf-8-sig", errors="replace")


@misconception(
    "decode",
    "letters and accents are put together",
    "Unicode's NFC makes one character of two, and the text is not the one that was encoded",
    read="what `decode` leaves out",
)
def composed(ids, id_to_bytes):
    import unicodedata

    text = b"".join(id_to_bytes[i] for i in ids).decode("utf-8", errors="replace")
    return unicodedata.normalize("NFC", text)


@misconception(
    "decode",
    "characters that look alike become one",
    "Unicode's NFKC writes ﬁ as f and i; some tokenizers do so, but before they encode",
    read="what `decode` leaves out",
)
def compatible(ids, id_to_bytes):
    import unicodedata

    text = b"".join(id_to_bytes[i] for i in ids).decode("utf-8", errors="replace")
    return unicodedata.normalize("NFKC", text)


@misconception(
    "decode",
    "all line ends become the same",
    "a carriage return is a character like any other, and its token has been in the text",
    read="what `decode` leaves out",
)
def line_ends(ids, id_to_bytes):
    text = b"".join(id_to_bytes[i] for i in ids).decode("utf-8", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


@misconception(
    "decode",
    "“▁” becomes a space",
    "SentencePiece writes its spaces so, but here “▁” is a sign like any other",
    read=BYTES_STAY,
)
def sentencepiece_spaces(ids, id_to_bytes):
    text = b"".join(id_to_bytes[i] for i in ids).decode("utf-8", errors="replace")
    return text.replace("▁", " ")


@misconception(
    "decode",
    "the spaces before signs are cleaned up",
    "some decoders write “a, b” for “a , b”, and the text is not the one that was encoded",
    read=BYTES_STAY,
)
def cleaned_up(ids, id_to_bytes):
    text = b"".join(id_to_bytes[i] for i in ids).decode("utf-8", errors="replace")
    for sign in (".", ",", "!", "?", "'m", "'s", "n't", "'ve", "'re"):
        text = text.replace(f" {sign}", sign)
    return text


@misconception(
    "decode",
    "tokens such as <s> are left out",
    "a begin token's bytes are passed over, as `skip_special_tokens` does elsewhere",
    read=BYTES_STAY,
)
def special_tokens_skipped(ids, id_to_bytes):
    kept = [id_to_bytes[i] for i in ids]
    kept = [piece for piece in kept if not (piece[:1] == b"<" and piece[-1:] == b">")]
    return b"".join(kept).decode("utf-8", errors="replace")


# -- more of what people really write -------------------------------------------


@misconception(
    "merge",
    "the last pair of the word is never looked at",
    "the loop ends one pair too early",
    read=ORDER,
)
def last_pair_unseen(symbols, ranks):
    pieces = list(symbols)
    while True:
        pairs = [
            (ranks[p], i)
            for i, p in enumerate(zip(pieces, pieces[1:-1], strict=False))
            if p in ranks
        ]
        if not pairs:
            return pieces
        _, i = min(pairs)
        pieces[i : i + 2] = [pieces[i] + pieces[i + 1]]


@misconception(
    "merge",
    "after a merge the pairs to the left of it are not looked at",
    "the search goes on from the place of the merge, but its left neighbour is new, too",
    read=GROWING,
)
def right_of_the_join(symbols, ranks):
    pieces, start = list(symbols), 0
    while True:
        pairs = [(ranks[p], i) for i, p in enumerate(pairwise(pieces)) if i >= start and p in ranks]
        if not pairs:
            return pieces
        _, start = min(pairs)
        pieces[start : start + 2] = [pieces[start] + pieces[start + 1]]


@misconception(
    "merge",
    "a pair is joined that is no longer there",
    "its place waits in a heap; what stands there by then is joined, though that is another pair",
    read=GROWING,
)
def stale_pairs(symbols, ranks):
    import heapq

    pieces, after = list(symbols), [*range(1, len(symbols)), None]
    before = [None, *range(len(symbols) - 1)]
    waiting = []

    def look(i):
        if i is not None and after[i] is not None:
            rank = ranks.get((pieces[i], pieces[after[i]]))
            if rank is not None:
                heapq.heappush(waiting, (rank, i))

    for i in range(len(pieces)):
        look(i)
    while waiting:
        _, i = heapq.heappop(waiting)
        j = after[i]
        if pieces[i] is None or j is None:
            continue
        pieces[i], pieces[j], after[i] = pieces[i] + pieces[j], None, after[j]
        if after[i] is not None:
            before[after[i]] = i
        look(i)
        look(before[i])
    return [piece for piece in pieces if piece is not None]


@misconception(
    "merge",
    "the order of the table is taken for the rank",
    "a pair's rank is the number that the table gives it, wherever it stands in the table",
    read=ORDER,
)
def rank_by_order(symbols, ranks):
    pieces, order = list(symbols), list(ranks)
    while True:
        pairs = [(order.index(p), i) for i, p in enumerate(pairwise(pieces)) if p in ranks]
        if not pairs:
            return pieces
        _, i = min(pairs)
        pieces[i : i + 2] = [pieces[i] + pieces[i + 1]]


@misconception(
    "merge",
    "merges are made in passes from left to right",
    "each pass joins every pair with a rank that it meets, whatever other pairs' ranks are",
    read=ORDER,
)
def passes_from_the_left(symbols, ranks):
    pieces = list(symbols)
    while True:
        joined, i = [], 0
        while i < len(pieces):
            both = tuple(pieces[i : i + 2])
            joined.append(b"".join(both) if both in ranks else pieces[i])
            i += 2 if both in ranks else 1
        if joined == pieces:
            return pieces
        pieces = joined


@misconception(
    "encode",
    "pairs are joined by the ids of the vocabulary, not by the table of ranks",
    "the id of the joined piece is taken for the rank of the pair, as in tiktoken's files",
    read=ORDER,
)
def merged_by_vocabulary(words, vocab, ranks, bos_id=None):
    ids = [] if bos_id is None else [bos_id]
    for word in words:
        pieces = list(word)
        while True:
            pairs = [
                (vocab[a + b], i) for i, (a, b) in enumerate(pairwise(pieces)) if a + b in vocab
            ]
            if not pairs:
                break
            _, i = min(pairs)
            pieces[i : i + 2] = [pieces[i] + pieces[i + 1]]
        for piece in pieces:
            ids += [vocab[piece]] if piece in vocab else [vocab[bytes([b])] for b in piece]
    return ids


@misconception(
    "encode",
    "one piece that is not in the vocabulary spells the whole word",
    "only that piece becomes bytes; the known pieces of the word beside it keep their ids",
    read=BYTES,
)
def whole_word_spelled(words, vocab, ranks, bos_id=None):
    ids = [] if bos_id is None else [bos_id]
    for word in words:
        pieces = merge(word, ranks)
        if all(piece in vocab for piece in pieces):
            ids += [vocab[piece] for piece in pieces]
        else:
            ids += [vocab[bytes([b])] for piece in pieces for b in piece]
    return ids


@misconception(
    "encode",
    "a word that comes again is left out",
    "every word is encoded the first time only: a repeated word is missing",
    read="what `encode` returns: the ids of all words, in order",
)
def each_word_once(words, vocab, ranks, bos_id=None):
    ids = [] if bos_id is None else [bos_id]
    for word in dict.fromkeys(map(tuple, words)):
        for piece in merge(word, ranks):
            ids += [vocab[piece]] if piece in vocab else [vocab[bytes([b])] for b in piece]
    return ids


@misconception(
    "decode",
    "the tokens 1 and 2 are left out",
    "they are skipped as begin and end tokens, but nothing is left out, and ids differ by model",
    read=BYTES_STAY,
)
def ids_1_and_2_left_out(ids, id_to_bytes):
    return b"".join(id_to_bytes[i] for i in ids if i not in (1, 2)).decode("utf-8", "replace")


@misconception(
    "decode",
    "an unfinished character at the end is left out",
    "text is streamed by whole letters: the bytes of one that is cut off wait for more, and vanish",
    read=CHARACTERS,
)
def whole_letters_only(ids, id_to_bytes):
    import codecs

    stream = codecs.getincrementaldecoder("utf-8")("replace")
    return "".join(stream.decode(id_to_bytes[i]) for i in ids)
