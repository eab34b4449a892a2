"""Text that a stranger wrote: cut, and with what would steer a terminal shown, not obeyed."""

from __future__ import annotations

import unicodedata

from token_journey.guards.time_limit import time_limit

_SECONDS_TO_SPEAK = 0.5
# Marks that turn the direction of what is read; the rest of their kind joins letters.
_TURNING = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def shown(text: str, longest: int = 500) -> str:
    """The start of a text, with `\\x1b` and the like spelled out; line breaks and tabs stay."""
    start = str.__getitem__(text, slice(longest + 1))  # plain, whatever class `text` is of
    kept = "".join(map(_spelled, start[:longest]))
    return kept if len(start) <= longest else f"{kept}…"


def message_of(error: BaseException) -> str | None:
    """What an error says of itself; None where its class keeps it from speaking."""
    try:
        with time_limit(_SECONDS_TO_SPEAK):
            return shown(str(error))
    except BaseException:  # it may raise, exit, recurse or never end
        return None


def written(value: object, longest: int = 300) -> str:
    """A value as Python writes it, or its class where that can't be written."""
    try:
        with time_limit(_SECONDS_TO_SPEAK):
            text = repr(value)
            return shown(text, longest if len(text) <= longest else longest - 1)
    except BaseException:
        return f"<{shown(type(value).__name__)}>"


def _spelled(character: str) -> str:
    steers = unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or character in _TURNING
    if not steers or character in "\n\t":
        return character
    return character.encode("unicode_escape").decode("ascii")
