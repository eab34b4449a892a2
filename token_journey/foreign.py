"""The one way by which text that somebody else wrote reaches a terminal or a page.

It is cut, and what would steer a terminal or turn the order of reading is shown, not obeyed.
"""

from __future__ import annotations

import unicodedata

from token_journey.guards.time_limit import time_limit

LONGEST = 500
_SECONDS_TO_SPEAK = 0.5
_SIGNS = {"\n": "⏎", "\r": "␍", "\t": "⇥"}
# Marks that turn the direction of what is read; the rest of their kind joins letters.
_TURNING = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def foreign(text: str, longest: int = LONGEST) -> str:
    """A text in one line; of a text that is longer the middle is left out."""
    if len(text) > longest:
        text = f"{text[: longest * 2 // 3]} … {text[-longest // 3 :]}"
    return "".join(map(sign, text))


def shown(text: str, longest: int = LONGEST) -> str:
    """The start of a text, whose line breaks and tabs stay."""
    start = str.__getitem__(text, slice(longest + 1))  # plain, whatever class `text` is of
    kept = "".join(_spelled(c) if _steers(c) else c for c in start[:longest])
    return kept if len(start) <= longest else f"{kept}…"


def message_of(error: BaseException) -> str | None:
    """What an error says of itself; None where its class keeps it from speaking."""
    try:
        with time_limit(_SECONDS_TO_SPEAK):
            return shown(str(error))
    except BaseException:  # it may raise, exit, recurse or never end
        return None


def name_of_class(value: object) -> str:
    """As the class was made, whatever it or a class of classes says of it."""
    name: str = type.__dict__["__name__"].__get__(type(value))
    return shown(name)


def written(value: object, longest: int = 300) -> str:
    """A value as Python writes it, or its class where that can't be written."""
    try:
        with time_limit(_SECONDS_TO_SPEAK):
            text = repr(value)
            return shown(text, longest if len(text) <= longest else longest - 1)
    except BaseException:
        return f"<{name_of_class(value)}>"


def sign(character: str) -> str:
    """A character that can be seen, whatever it is."""
    if character in _SIGNS:
        return _SIGNS[character]
    return character if character.isprintable() else _spelled(character)


def _spelled(character: str) -> str:
    return f"<{ord(character):02X}>"


def _steers(character: str) -> bool:
    control = unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
    return (control and character not in "\n\t") or character in _TURNING
