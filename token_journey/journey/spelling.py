"""Tokens as a reader sees them: their text, and which word they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from token_journey.foreign import sign
from token_journey.journey.journey import Candidate, Token

# A Valencian sentence on which tokenizers differ: ç, l·l, apostrophes, accents.
ALSO = "anxova així caparaçò col·legi l'horta mascletà perquè"


# A character has four bytes at most; a blank may stand in front of it.
_MOST_SHARED = 5


def shown(spelled: bytes) -> str:
    """A token's text; bytes that are no letter by themselves as `<C3>`."""
    try:
        return spelled.decode("utf-8")
    except UnicodeDecodeError:
        text = spelled.decode("utf-8", errors="surrogateescape")
    return "".join(f"<{ord(c) - 0xDC00:02X}>" if 0xDC80 <= ord(c) <= 0xDCFF else c for c in text)


def tokens_of(ids: Sequence[int], id_to_bytes: Mapping[int, bytes], in_front: int) -> list[Token]:
    """Tokens whose bytes are known.

    in_front: how many the tokenizer put before the text
    """
    found, word, blank = [], -1, True
    for place, token in enumerate(ids):
        spelled = id_to_bytes.get(token, b"?")
        text = spelled.decode("utf-8", errors="replace")
        if place >= in_front:
            word += 1 if blank or text[:1].isspace() else 0
            blank = text[-1:].isspace()
        found.append(Token(token, shown(spelled), word, place))
    return _with_shared(found, [id_to_bytes.get(token, b"?") for token in ids])


def _with_shared(tokens: list[Token], spelled: Sequence[bytes]) -> list[Token]:
    """The tokens, those that are no whole characters with the characters they make together."""
    found, start = list(tokens), 0
    while start < len(tokens):
        together = b""
        for end in range(start, min(start + _MOST_SHARED, len(tokens))):
            together += spelled[end]
            if not _is_text(together):
                continue
            if end > start:
                for place in range(start, end + 1):
                    part = replace(tokens[place], part_of=together.decode(), part=start)
                    found[place] = part
            start = end
            break
        start += 1
    return found


def _is_text(spelled: bytes) -> bool:
    try:
        spelled.decode()
    except UnicodeDecodeError:
        return False
    return True


def shared(tokens: Sequence[Token] | Sequence[tuple[int, Token]]) -> list[list[tuple[int, Token]]]:
    """Tokens with their indices; those that share a character together, every other one alone."""
    pairs = [each if isinstance(each, tuple) else (n, each) for n, each in enumerate(tokens)]
    found: list[list[tuple[int, Token]]] = []
    for index, token in pairs:
        if found and token.part_of and found[-1][-1][1].part == token.part:
            found[-1].append((index, token))
        else:
            found.append([(index, token)])
    return found


def tokens_in_print(ids: Sequence[int], pieces: Sequence[str], text: str) -> list[Token]:
    """Tokens of which only the pieces were printed, without their spaces: `text` has them."""
    found, word, cursor = [], -1, 0
    for place, (token, piece) in enumerate(zip(ids, pieces, strict=True)):
        start = text.find(piece, cursor)
        if start < 0:  # it stands before the text
            found.append(Token(token, piece, -1, place))
            continue
        word += 1 if start > cursor or word < 0 else 0
        found.append(Token(token, text[cursor:start] + piece, word, place))
        cursor = start + len(piece)
    return found


def words_of(tokens: Iterable[Token]) -> list[list[tuple[int, Token]]]:
    """The tokens word by word, each with its index; what stands in front is a word of its own."""
    found: list[list[tuple[int, Token]]] = []
    for index, token in enumerate(tokens):
        if not found or found[-1][-1][1].word != token.word:
            found.append([])
        found[-1].append((index, token))
    return found


def visible(piece: str) -> str:
    """A piece in which line breaks, tabs, blanks alone and what can't be printed are seen."""
    if piece and not piece.strip(" "):
        return "␣" * len(piece)
    return "".join(map(sign, piece))


def quoted(token: Token | Candidate) -> str:
    """A token in quotation marks, for sentences."""
    return f"“{visible(token.piece.strip(' ') or token.piece)}”"
