"""A colour for each token, by its place, so that it is known again everywhere."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from token_journey.journey.journey import Token
from token_journey.journey.spelling import visible

# Told apart by people who see colours differently (Okabe and Ito, 2008), on dark letters.
_COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#cc79a7", "#d0a3f0", "#ff9d6c", "#b0b0b0")


def colour(index: int) -> str:
    """The colour of the token at an index among those shown."""
    return _COLOURS[index % len(_COLOURS)]


def printable(piece: str) -> str:
    """A piece in one line, the blanks at its front as signs."""
    text = visible(piece)
    front = len(text) - len(text.lstrip(" "))
    return "␣" * front + text[front:]


def token_text(token: Token, index: int) -> Text:
    """A token in its colour."""
    return Text(printable(token.piece), style=f"#000000 on {colour(index)}")


def sentence(tokens: Sequence[Token]) -> Text:
    """All tokens in their colours, a blank between words."""
    text = Text()
    for index, token in enumerate(tokens):
        if index and token.word != tokens[index - 1].word:
            text.append(" ")
        text.append(printable(token.piece.strip(" ") or token.piece), f"#000000 on {colour(index)}")
    return text
