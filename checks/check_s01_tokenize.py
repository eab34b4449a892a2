"""Stage 1 · Tokenize."""

from functools import cache
from itertools import groupby

import pytest

from token_journey.checking import (
    Comparison,
    captured,
    compare,
    expect_equal,
    expect_true,
    expect_written,
)

# Merges as a training learns them: a pair comes after the pairs that made its two parts.
MERGES = [
    *[(b"a", b"n"), (b"n", b"a"), (b"t", b"a"), (b"o", b"o"), (b"an", b"an")],
    *[(b"s", b"t"), (b"st", b"an"), (b"na", b"s"), (b" ", b"an"), (b"s", b" ")],
]
RANKS = {pair: rank for rank, pair in enumerate(MERGES)}
# Every byte has an id, as byte fallback needs; "st" has id 0. No merges lead to "sta".
PIECES = [b"st", b"an", b"na", b"ta", b"oo", b"anan", b" an", b"stan", b"nas", b"s ", b"sta"]
VOCAB = {bytes([byte]): 100 + byte for byte in range(256)}
VOCAB.update({piece: i for i, piece in enumerate(PIECES)})
ID_TO_BYTES = {i: piece for piece, i in VOCAB.items()}

# What Aitana-2B-S's own tokenizer makes of two texts, as published (see the figures in
# packs/aitana-2b-s-published). A piece has the space here that stands before it in the text.
AITANA = {
    "açò es or...": [("açò", 125647), (" es", 594), (" or", 785), ("...", 889)],
    "anxova així caparaçò col·legi l'horta mascletà perquè": [
        *[("anx", 126722), ("ova", 1255), (" així", 18268), (" cap", 2153), ("ara", 925)],
        *[("çò", 14720), (" col", 1896), ("·", 255740), ("legi", 39451), (" l", 414)],
        *[("'", 255723), ("horta", 163861), (" masc", 170285), ("let", 736), ("à", 255804)],
        (" perquè", 11203),
    ],
}
AITANA_BOS = 1


def symbols(text):
    """What merging starts from: one symbol a character."""
    return [character.encode() for character in text]


def words(text):
    """A text cut into words; a space begins a new one."""
    first, *rest = text.split(" ")
    return [symbols(first), *(symbols(" " + word) for word in rest)]


# -- what real tokenizers give ------------------------------------------------


def begin_token(case):
    """The id that the tokenizer put in front of the text, or None."""
    vocabulary, first = case.pack.vocabulary, case.prompt.ids[0]
    text = b"".join(vocabulary.symbols(case.prompt.words[0]))
    return None if text.startswith(vocabulary.id_to_bytes[first]) else first


def tokens(case):
    """The id and the piece of each token of the text; no begin token."""
    both = list(zip(case.prompt.ids, case.prompt.pieces, strict=True))
    return both if begin_token(case) is None else both[1:]


def merged(case):
    """The pieces before byte fallback: a character that was spelled in bytes is whole again."""
    pieces = []
    for in_bytes, run in groupby(tokens(case), lambda token: token[1].startswith("<0x")):
        spelled = [case.pack.vocabulary.id_to_bytes[i] for i, _ in run]
        pieces += symbols(b"".join(spelled).decode()) if in_bytes else spelled
    return pieces


@cache
def needed(pack, prompt):
    """The tokenizer's ids and ranks, without the thousands that this text has no use for."""
    vocabulary = pack.vocabulary
    words = {b"".join(vocabulary.symbols(word)) for word in prompt.words}
    parts = {w[i:j] for w in words for i in range(len(w)) for j in range(i + 1, len(w) + 1)}
    parts |= {bytes([byte]) for byte in range(256)}
    pairs = {(part[:i], part[i:]) for part in parts for i in range(1, len(part))}
    ids = {part: vocabulary.ids[part] for part in sorted(parts) if part in vocabulary.ids}
    # Sorted, for a set of bytes has another order in each run: none is the order of the ranks.
    ranks = {pair: vocabulary.ranks[pair] for pair in sorted(pairs) if pair in vocabulary.ranks}
    return ids, ranks


def hold(case, what, actual, expected):
    """Hold ids, pieces or a text against what the pack's tokenizer gave."""
    compare(Comparison(what, actual, expected, where=case.where, held_back=case.pack.held_back))


@captured(vocabulary=True)
def test_real_pieces(stage, case):
    """merge leaves the pieces that the model's own tokenizer leaves."""
    _, ranks = needed(case.pack, case.prompt)
    text = [case.pack.vocabulary.symbols(word) for word in case.prompt.words]
    pieces = [piece for word in text for piece in stage.merge(word, dict(ranks))]
    hold(case, "the pieces", pieces, merged(case))


@captured(vocabulary=True)
def test_real_ids(stage, case):
    """encode gives the ids that the model's own tokenizer gives."""
    vocab, ranks = needed(case.pack, case.prompt)
    text = [case.pack.vocabulary.symbols(word) for word in case.prompt.words]
    ids = stage.encode(text, dict(vocab), dict(ranks), begin_token(case))
    hold(case, "the ids", ids, list(case.prompt.ids))


@captured(vocabulary=True)
def test_real_text(stage, case):
    """decode turns the ids of a real tokenizer back into its text."""
    text = "".join(case.prompt.words).replace("▁", " ")
    ids = [i for i, _ in tokens(case)]
    id_to_bytes = {i: case.pack.vocabulary.id_to_bytes[i] for i in ids}
    hold(case, "the text", stage.decode(ids, id_to_bytes), text)


@pytest.mark.parametrize("text", AITANA)
def test_aitana_ids(stage, text):
    """encode gives Aitana's published ids.

    Aitana's merges are not published. These build up each published piece
    letter by letter, which leads to the same pieces. Single letters have ids
    that are not published; here they are 0.
    """
    ranks = {}
    for piece, _ in AITANA[text]:
        letters = symbols(piece)
        for end in range(1, len(letters)):
            ranks.setdefault((b"".join(letters[:end]), letters[end]), len(ranks))
    vocab = dict.fromkeys(symbols(text), 0) | {p.encode(): i for p, i in AITANA[text]}
    published = [AITANA_BOS, *(i for _, i in AITANA[text])]
    ids = stage.encode(words(text), vocab, ranks, AITANA_BOS)
    expect_equal(ids, published, "the ids", f"Aitana-2B-S, “{text}”")


@pytest.mark.parametrize("text", AITANA)
def test_aitana_text(stage, text):
    """decode turns Aitana's published ids back into the text."""
    id_to_bytes = {i: piece.encode() for piece, i in AITANA[text]}
    decoded = stage.decode(list(id_to_bytes), id_to_bytes)
    expect_equal(decoded, text, "the text", "Aitana-2B-S")


# -- merge --------------------------------------------------------------------


def test_best_pair_first(stage):
    """The best-ranked pair of the word is joined first, again and again, wherever it stands."""
    pieces = stage.merge(symbols("tanstana"), dict(RANKS))
    expect_equal(pieces, [b"t", b"an", b"stan", b"a"], "merge of “tanstana”")


def test_leftmost_first(stage):
    """Where a pair occurs more than once, the leftmost is joined first."""
    expect_equal(
        stage.merge(symbols("ooooo"), dict(RANKS)), [b"oo", b"oo", b"o"], "merge of “ooooo”"
    )


def test_a_long_word(stage):
    """A word may be of any length: the loop ends when no pair has a rank, not before."""
    pieces = stage.merge(symbols("o" * 120), dict(RANKS))
    expect_equal(pieces, [b"oo"] * 60, "merge of 120 times “o”")


def test_pieces_merge_on(stage):
    """A piece that was joined can be joined again, with its new neighbour."""
    pieces = stage.merge(symbols(" anan"), dict(RANKS))
    expect_equal(pieces, [b" ", b"anan"], "merge of “ anan”")


def test_one_place_at_a_time(stage):
    """Only one pair is joined at a time: after that another pair may be the best."""
    ranks = {(b"ab", b"a"): 0, (b"a", b"b"): 1}
    pieces = stage.merge(symbols("abab"), ranks)
    expect_equal(pieces, [b"aba", b"b"], "merge of “abab”, “ab”+“a” before “a”+“b”")
    ranks = {(b"oo", b"o"): 0, (b"o", b"o"): 1}
    pieces = stage.merge(symbols("oooo"), ranks)
    expect_equal(pieces, [b"ooo", b"o"], "merge of “oooo”, “oo”+“o” before “o”+“o”")


def test_a_join_makes_a_better_pair(stage):
    """After each join all neighbours are looked at again, also for pairs of a better rank."""
    ranks = {(b"a", b"bc"): 0, (b"b", b"c"): 1}
    pieces = stage.merge(symbols("abc"), ranks)
    expect_equal(pieces, [b"abc"], "merge of “abc”, “a”+“bc” before “b”+“c”")
    ranks = {(b"bc", b"d"): 0, (b"abc", b"d"): 1, (b"b", b"c"): 2, (b"a", b"bc"): 3}
    pieces = stage.merge(symbols("abcd"), ranks)
    expect_equal(pieces, [b"a", b"bcd"], "merge of “abcd”, “bc”+“d” best of four")


def test_nothing_to_merge(stage):
    """A word in which no pair has a rank stays as it is, and comes back in a list of its own."""
    for text in ("xoy", "x", ""):
        word = symbols(text)
        pieces = stage.merge(word, dict(RANKS))
        expect_equal(pieces, symbols(text), f"merge of “{text}”")
        expect_true(
            pieces is not word,
            "merge returned the very list that it was given: return a new one, which can be "
            "changed without changing the word (`list(symbols)` makes one).",
        )


def test_no_pairs(stage):
    """A word of one symbol, or of none, has no pairs and stays as it is."""
    expect_equal(stage.merge([b"a"], dict(RANKS)), [b"a"], "merge of one symbol")
    expect_equal(stage.merge([], dict(RANKS)), [], "merge of no symbols")


def test_symbols_of_several_bytes(stage):
    """A symbol may be more than one byte; symbols are joined as they come."""
    ranks = {("ç".encode(), "ò".encode()): 0}
    pieces = stage.merge(symbols("açò"), ranks)
    expect_equal(pieces, [b"a", "çò".encode()], "merge of “açò”")


def test_a_rank_is_a_pair_s(stage):
    """A rank belongs to one pair, and not to others that would give the same bytes."""
    pieces = stage.merge([b"s", b"tan", b"a"], dict(RANKS))  # "st" and "an" have a rank
    expect_equal(pieces, [b"s", b"tan", b"a"], "merge of “s”, “tan” and “a”")


def test_the_word_is_left_alone(stage):
    """merge returns a new list; the word that came in stays as it was."""
    word = symbols("tanstana")
    stage.merge(word, dict(RANKS))
    expect_equal(word, symbols("tanstana"), "the word after merge")


# -- encode -------------------------------------------------------------------


def encode(stage, text, *bos_id):
    return stage.encode(words(text), dict(VOCAB), dict(RANKS), *bos_id)


def test_merges_decide(stage):
    """The merges decide where a word is cut, even if the vocabulary has a longer piece."""
    expect_equal(encode(stage, "sta stan"), [215, 3, 132, 7], "the ids of “sta stan”")


def test_words_stay_apart(stage):
    """Merges stay inside a word: no piece reaches from one into the next."""
    ids = stage.encode([symbols("st"), symbols("anas")], dict(VOCAB), dict(RANKS))
    expect_equal(ids, [0, 1, 197, 215], "the ids of “st” and “anas”")


def test_begin_token(stage):
    """The begin token stands first, and once."""
    expect_equal(encode(stage, "oo oo oo", 77), [77, 4, 132, 4, 132, 4], "the ids of “oo oo oo”")


def test_begin_token_0(stage):
    """A begin token may have id 0."""
    ids = [encode(stage, "oo", bos_id) for bos_id in (77, 0)]
    expect_equal(ids, [[77, 4], [0, 4]], "the ids of “oo” with begin token 77, and with 0")


def test_no_begin_token(stage):
    """A model without a begin token gets none."""
    expect_equal(encode(stage, "oo", None), [4], "the ids of “oo” with bos_id=None")
    expect_equal(encode(stage, "oo"), [4], "the ids of “oo” without bos_id")


def test_no_words(stage):
    """A text without words is the begin token, or nothing; so is a word without symbols."""
    expect_equal(stage.encode([], dict(VOCAB), dict(RANKS), 77), [77], "the ids of no words")
    expect_equal(stage.encode([], dict(VOCAB), dict(RANKS)), [], "the ids of no words")
    ids = stage.encode([[], symbols("oo")], dict(VOCAB), dict(RANKS), 77)
    expect_equal(ids, [77, 4], "the ids of an empty word and “oo”")


def test_spelled_in_bytes(stage):
    """A piece that is not in the vocabulary is spelled byte by byte."""
    ids = encode(stage, "taçna🎶")
    note = [100 + byte for byte in (0xF0, 0x9F, 0x8E, 0xB6)]
    expect_equal(ids, [3, 100 + 0xC3, 100 + 0xA7, 2, *note], "the ids of “taçna🎶”")


def test_spelled_in_bytes_not_in_characters(stage):
    """A piece that is not in the vocabulary is spelled in bytes, not in characters."""
    # A letter of two characters, ç and an accent of its own, as one symbol.
    letter, cedilla = "ç\u0300".encode(), "ç".encode()
    ids = stage.encode([[b"a", letter]], VOCAB | {cedilla: 50}, dict(RANKS))
    spelled = [100 + byte for byte in b"a" + letter]
    expect_equal(ids, spelled, "the ids of “aç̀”, where only “ç” has an id of its own")


def test_id_0(stage):
    """A piece may have id 0."""
    expect_equal(encode(stage, "oo st"), [4, 132, 0], "the ids of “oo st”")


def test_the_words_are_left_alone(stage):
    """encode leaves the words, the vocabulary and the ranks that came in as they were."""
    given, vocab, ranks = words("tanstana açsta"), dict(VOCAB), dict(RANKS)
    stage.encode(given, vocab, ranks, 77)
    expect_equal(given, words("tanstana açsta"), "the words after encode")
    expect_true(
        vocab == VOCAB and ranks == RANKS, "encode changed `vocab` or `ranks`: only read from them."
    )


def test_one_at_a_time(stage):
    """Words and ids may come one at a time, as a generator gives them; a word may be a tuple."""
    given = (tuple(word) for word in words("oo stan"))
    ids = stage.encode(given, dict(VOCAB), dict(RANKS), 77)
    expect_equal(ids, [77, 4, 132, 7], "the ids of “oo stan”, word by word")
    text = stage.decode(iter([4, 132, 7]), dict(ID_TO_BYTES))
    expect_equal(text, "oo stan", "the text of three ids, one by one")


# -- decode -------------------------------------------------------------------


def test_characters_of_several_tokens(stage):
    """The bytes are joined before they are decoded: a character can span several tokens."""
    ids = [100 + byte for byte in "ç 🎶".encode()]
    expect_equal(stage.decode(ids, dict(ID_TO_BYTES)), "ç 🎶", "the text of 7 tokens, a byte each")


def test_spaces(stage):
    """The spaces of a text are part of its tokens, also at both ends."""
    ids = [6, 1, 132, 4, 0, 9]
    expect_equal(stage.decode(ids, dict(ID_TO_BYTES)), " anan oosts ", f"the text of {ids}")


def test_every_character_stays(stage):
    """Nothing is left out, exchanged or put together: the text is what its bytes say."""
    for text, called in (
        ("\ufeffona", "a byte order mark"),
        ("ﬁ ½ Ａ", "characters that look like others"),
        ("ca\u0301", "“a” and an accent of its own"),
        ("a\r\nb\rc\u2028", "line ends of four kinds"),
        ("\ta\0b\x1b", "characters that can't be seen"),
        ("a▁b", "“▁”, which is no space here"),
        ("és  , 'm ?", "two spaces, and spaces before a sign"),
    ):
        ids = [100 + byte for byte in text.encode()]
        expect_equal(stage.decode(ids, dict(ID_TO_BYTES)), text, f"the text with {called}")


def test_a_begin_token_has_its_bytes(stage):
    """A begin token is no exception: it becomes whatever bytes `id_to_bytes` has for it."""
    decoded = stage.decode([77, 4, 78], {77: b"<s>", 4: b"oo", 78: b"<|im_end|>"})
    expect_equal(decoded, "<s>oo<|im_end|>", "the text of b'<s>', b'oo', b'<|im_end|>'")


def test_no_utf_8(stage):
    """Bytes that are not UTF-8 become “�”, one for each byte."""
    ids = [3, 100 + 0xFF, 100 + 0xFE, 2]
    expect_equal(stage.decode(ids, dict(ID_TO_BYTES)), "ta��na", "the text of b'ta\\xff\\xfena'")


def test_half_a_character(stage):
    """A text that ends inside a character ends in one “�”, whatever part of it is there."""
    ids = [3, *(100 + byte for byte in "🎶".encode()[:3])]
    said = "the text of b'ta' and three bytes of the four of “🎶”"
    expect_equal(stage.decode(ids, dict(ID_TO_BYTES)), "ta�", said)


def test_no_tokens(stage):
    """No tokens give an empty text."""
    expect_equal(stage.decode([], dict(ID_TO_BYTES)), "", "the text of no tokens")


# -- written, not borrowed -------------------------------------------------------


def test_written_not_borrowed(stage):
    """The tokenizer is written here, not called from a library."""
    expect_written(stage, lambda: stage.merge([b"a", b"n"], RANKS))
