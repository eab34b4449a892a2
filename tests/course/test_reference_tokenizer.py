"""Stage 1 against the tokenizers library, on texts that are hard to cut."""

import pytest
from tokenizers import Tokenizer

from token_journey.course.course import find_course
from token_journey.course.implementation import Implementation
from token_journey.packs.pack import Pack

COURSE = find_course()
STAGE = Implementation(COURSE.reference).module("s01_tokenize")

TEXTS = {
    "Valencian": "L'avió s'enlairà; «Què és açò?», digué la xiqueta. Col·legi i pingüins.",
    "Spanish": "¿Cuántos años tenía el niño? ¡Ningún pingüino voló jamás!",
    "English": "It's 1238: they've all gone, haven't they? e.g. state-of-the-art don'ts.",
    "emoji": "🎶 família 👨‍👩‍👧‍👦 i 🏴󠁧󠁢󠁥󠁮󠁧󠁿 fins demà 🙂🙂",
    "tabs and lines": "\tdef f(x):\n\t\treturn  x   \n\n\n  # end\r\n",
    "digits": "12345 3.14159 2026-11-22 1e-5 0xFF ½ ² ٣",
    "other scripts": "数学 Ελληνικά кириллица עברית العربية ไทย",
    "combining": "e\u0301 n\u0303 a\u0327o\u0300 \u200b\ufeff",
    "code": "for(i=0;i<n;++i){a[i]+=b[i]*c;}  // ok?",
    "spaces": "     a  b   c    ",
    "one character": "x",
    "nothing": "",
    "long word": "anticonstitucionalíssimament" * 8,
}
PACKS = {name: Pack(COURSE.packs / name) for name in ("smollm2-135m", "witness-gqa")}


def words_of(tokenizer, text):
    """The text cut by the tokenizer's own normalizer and pre-tokenizer, as learners get it."""
    if tokenizer.normalizer is not None:
        text = tokenizer.normalizer.normalize_str(text)
    pieces = tokenizer.pre_tokenizer.pre_tokenize_str(text)
    return [piece if "▁" in piece else text[start:end] for piece, (start, end) in pieces]


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("name", PACKS)
def test_same_ids_as_the_library(name, language):
    pack, text = PACKS[name], TEXTS[language]
    tokenizer = Tokenizer.from_file(str(pack.folder / "tokenizer.json"))
    expected = tokenizer.encode(text, add_special_tokens=False).ids
    words = [pack.vocabulary.symbols(word) for word in words_of(tokenizer, text)]
    assert STAGE.encode(words, pack.vocabulary.ids, pack.vocabulary.ranks) == expected


@pytest.mark.parametrize("language", TEXTS)
def test_decoding_gives_the_text_back(language):
    pack, text = PACKS["smollm2-135m"], TEXTS[language]
    tokenizer = Tokenizer.from_file(str(pack.folder / "tokenizer.json"))
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    assert STAGE.decode(ids, pack.vocabulary.id_to_bytes) == text == tokenizer.decode(ids)


def test_invalid_sequences_decode_as_the_library_decodes_them():
    """Ids cut in the middle of a character, and bytes that no character has."""
    pack = PACKS["smollm2-135m"]
    tokenizer = Tokenizer.from_file(str(pack.folder / "tokenizer.json"))
    vocabulary = pack.vocabulary
    for broken in (b"\xc3", b"a\xf0\x9f\x8e", b"\xe2\x82x", b"\xa7\xc3\xa7\xc3", b"\x80\x80\xe2"):
        ids = [vocabulary.ids[bytes([byte])] for byte in broken]
        assert STAGE.decode(ids, vocabulary.id_to_bytes) == tokenizer.decode(ids)


def test_text_that_is_no_unicode():
    """What a file in another encoding leaves behind: U+FFFD and lone surrogates' replacement."""
    pack = PACKS["smollm2-135m"]
    tokenizer = Tokenizer.from_file(str(pack.folder / "tokenizer.json"))
    text = b"a\xe7\xf2 \xff es".decode("utf-8", errors="replace")
    expected = tokenizer.encode(text, add_special_tokens=False).ids
    words = [pack.vocabulary.symbols(word) for word in words_of(tokenizer, text)]
    assert STAGE.encode(words, pack.vocabulary.ids, pack.vocabulary.ranks) == expected
