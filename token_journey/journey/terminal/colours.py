"""A colour for each token, by its place, so that it is known again everywhere."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from token_journey.journey.journey import Token
from token_journey.journey.spelling import visible

# As a page has them (theme.css): Paul Tol's "light" scheme, under dark letters.
COLOURS = ("#77aadd", "#ee8866", "#eedd88", "#ffaabb", "#99ddff", "#44bb99", "#bbcc33", "#c9c2e6")


def colour(index: int) -> str:
    """The colour of the token at an index among those shown."""
    return COLOURS[index % len(COLOURS)]


def printable(piece: str) -> str:
    """A piece in one line, the blanks at its front as signs."""
    text = visible(piece)
    front = len(text) - len(text.lstrip(" "))
    return "␣" * front + text[front:]


def token_text(token: Token, index: int) -> Text:
    """A token in its colour."""
    return Text(printable(token.piece), style=f"#000000 on {colour(index)}")


def shaded(share: float) -> str:
    """A colour on any background: the larger a share, the stronger; 0.05 is seen."""
    part = min(max(share, 0.0), 1.0) ** 0.5
    red, green, blue = (round(a + part * (b - a)) for a, b in zip(_WEAK, _STRONG, strict=True))
    return f"rgb({red},{green},{blue})"


_WEAK, _STRONG = (120, 130, 135), (0, 190, 205)


def sentence(tokens: Sequence[Token]) -> Text:
    """All tokens in their colours, a blank between words."""
    text = Text()
    for index, token in enumerate(tokens):
        if index and token.word != tokens[index - 1].word:
            text.append(" ")
        text.append(printable(token.piece.strip(" ") or token.piece), f"#000000 on {colour(index)}")
    return text
