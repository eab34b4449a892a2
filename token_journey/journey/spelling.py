"""Tokens as a reader sees them: their text, and which word they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from token_journey.foreign import sign
from token_journey.journey.journey import Candidate, Token

# A Valencian sentence on which tokenizers differ: ç, l·l, apostrophes, accents.
ALSO = "anxova així caparaçò col·legi l'horta mascletà perquè"


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
