"""Stage 1 · Tokenize: text becomes ids.

A model computes with numbers, so a text must become numbers first. A tokenizer cuts the
text into pieces that it knows, and gives the number of each piece. Those numbers are ids.

What goes in, what comes out
----------------------------
`merge`    the symbols of one word           ->  the pieces of that word
`encode`   a text, already cut into words    ->  a list of ids
`decode`   ids                               ->  the text

A symbol or a piece is `bytes`, not `str`: b"or" is one piece of two bytes. UTF-8 writes a
letter from a to z as one byte and all other letters as two to four: "ç" is 0xC3 0xA7.

Somebody has already cut the text into words, and each word into symbols: single bytes
(SmolLM2) or single characters (Aitana-2B-S). A word may start with a space: b" ", b"o", b"r".

Nothing of torch is needed here. For the stages after it, and for what each of the ten may use,
there is docs/pytorch-you-need.md.

Formula
-------
Byte-pair encoding (BPE) has no formula but a loop. A table of ranks says which pairs of
neighbours may be joined; rank 0 is the best. For one word:

    1. Look at all pairs of neighbours, and find the one with the lowest rank.
    2. If no pair has a rank, stop.
    3. Join that pair into one symbol, and only that one. If the same pair stands in more
       than one place, join the leftmost.
    4. Go back to 1: the join has made new neighbours.

    symbols       b"a"  b"b"  b"c"       ranks  (b"b", b"c") -> 0
                         └──┬──┘                (b"a", b"b") -> 1
    joined        b"a"    b"bc"          no rank for (b"a", b"bc"): stop

Then each piece is looked up in `vocab`. A piece that `vocab` does not know is spelled: one id
for each of its bytes. That is byte fallback, and thanks to it no text is impossible.

By hand
-------
The word " oro" has the symbols b" ", b"o", b"r", b"o". The ranks are (b"o", b"r") -> 0 and
(b" ", b"or") -> 1 and (b"r", b"o") -> 2.

    b" "  b"o"  b"r"  b"o"      the best pair is (b"o", b"r"), with rank 0
    b" "  b"or"  b"o"           now (b" ", b"or"), with rank 1
    b" or"  b"o"                (b" or", b"o") has no rank: stop

>>> ranks = {(b"o", b"r"): 0, (b" ", b"or"): 1, (b"r", b"o"): 2}
>>> merge([b" ", b"o", b"r", b"o"], ranks)
[b' or', b'o']

Of three equal symbols, the two on the left are joined:

>>> merge([b"a", b"a", b"a"], {(b"a", b"a"): 0})
[b'aa', b'a']

The text " oroç" in two words, with begin token 1. Nobody gave "ç" an id of its own, so its
two bytes are looked up, 0xC3 = 195 and 0xA7 = 167:

>>> vocab = {b" or": 70, b"o": 71, bytes([195]): 12, bytes([167]): 13}
>>> encode([[b" ", b"o", b"r", b"o"], ["ç".encode()]], vocab, ranks, bos_id=1)
[1, 70, 71, 12, 13]

Back to text. Tokens 12 and 13 make one letter together. Token 12 alone is half a letter:

>>> id_to_bytes = {70: b" or", 71: b"o", 12: bytes([195]), 13: bytes([167])}
>>> decode([70, 71, 12, 13], id_to_bytes)
' oroç'
>>> decode([71, 12], id_to_bytes)
'o�'

Why
---
One id for each letter makes texts long. One id for each word needs an endless list, and a new
word has no id. BPE lies between the two: frequent words get one id, rare words get a few. It
began as a way to compress files (Philip Gage, 1994). Sennrich, Haddow and Birch brought it to
translation in 2015 (arXiv 1508.07909). GPT-2 started it from bytes (Radford and others, 2019),
as SmolLM2 does. SentencePiece (Kudo and Richardson, 2018, arXiv 1808.06226) starts it from
characters. LLaMA (Touvron and others, 2023, arXiv 2302.13971) used that with a fallback to
bytes, as Aitana-2B-S does.

The ranks are the order in which pairs were learned from a large text. Doing the joins again in
that order gives the pieces that the model saw when it was trained. Other pieces of the same
text would be strange to it.

Aitana-2B-S has 256,000 tokens, SmolLM2-135M 49,152. For Aitana "açò es or..." is
[1, 125647, 594, 785, 889]: the begin token <s>, then "açò", "es", "or", "...". The rarer word
"caparaçò" is three tokens: "cap", "ara", "çò". SmolLM2's tokenizer puts no
begin token in front.

What goes wrong
---------------
- The pairs are joined from left to right, whatever their rank.
- Places of the best pair that overlap are both joined, or the rightmost is joined first.
- All places of the best pair are joined at once, or the table is walked through once, from the
  best rank to the worst. A table learned from a text gives the same pieces that way. Another
  table need not: one join can make a pair with a better rank than all that are left.
- The loop stops at the first pair without a rank, though another pair has one.
- Merging crosses the border between two words.
- The begin token is forgotten, stands last, or comes again before each word. Or there is no
  begin token, and the ids start with None. Or its id is 0, and 0 is taken for "none".
- A piece that is not in the vocabulary disappears, or becomes one "unknown" id.
- Each token is turned into text alone. Letters that need two tokens come out as "�".

Words
-----
byte         a number from 0 to 255; files and `bytes` objects are made of them
UTF-8        the usual way to write text as bytes
vocabulary   all pieces that the model knows, each with its id
rank         the place of a pair in the list of learned joins; 0 is the first
begin token  a token without text, <s>, that says "here a text starts"; in names: `bos`
U+FFFD       the character "�", which stands for bytes that are no text
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise


def merge(symbols: Sequence[bytes], ranks: Mapping[tuple[bytes, bytes], int]) -> list[bytes]:
    """Join neighbours, the best-ranked pair first, until no pair has a rank.

    symbols: the pieces of one word, left to right; none, one or many
    ranks:   pair of neighbours -> its rank; 0 was learned first and goes first
    returns: a new list with the pieces that are left; `symbols` stays as it was

    Where the best pair occurs more than once, the leftmost is joined first.
    """
    raise NotImplementedError


def encode(
    words: Iterable[Sequence[bytes]],
    vocab: Mapping[bytes, int],
    ranks: Mapping[tuple[bytes, bytes], int],
    bos_id: int | None = None,
) -> list[int]:
    """Merge inside each word and look the pieces up.

    words:   the text, cut into words; each word is the sequence of its symbols
    vocab:   piece -> id; it has an id for every single byte that a text may need
    ranks:   as for `merge`
    bos_id:  the id of the begin token (it may be 0), or None for a model that has none
    returns: the ids, as a list; the begin token, if there is one, stands first, once,
             also where there are no words

    A piece that is not in the vocabulary is spelled byte by byte.
    """
    raise NotImplementedError


def decode(ids: Iterable[int], id_to_bytes: Mapping[int, bytes]) -> str:
    """Turn ids back into text.

    ids:         token ids
    id_to_bytes: id -> the bytes that the token stands for
    returns:     the text of all those bytes, one after the other; what is not UTF-8
                 becomes U+FFFD, "�" (as `bytes.decode` does when errors are replaced)

    Nothing is left out or trimmed: a space at the front stays, and a begin token is
    whatever bytes `id_to_bytes` has for it.
    """
    raise NotImplementedError
