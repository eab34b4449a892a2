"""The one way by which text that somebody else wrote reaches a terminal or a page."""

from __future__ import annotations

_SIGNS = {"\n": "⏎", "\r": "␍", "\t": "⇥"}
LONGEST = 500


def foreign(text: str, longest: int = LONGEST) -> str:
    """A text in one line: nothing in it steers a terminal or turns the order of reading.

    Such characters are written as `<202E>`; of a text that is longer the middle is left out.
    """
    if len(text) > longest:
        text = f"{text[: longest * 2 // 3]} … {text[-longest // 3 :]}"
    return "".join(map(sign, text))


def sign(character: str) -> str:
    """A character that can be seen, whatever it is."""
    if character in _SIGNS:
        return _SIGNS[character]
    return character if character.isprintable() else f"<{ord(character):02X}>"


def said_by(error: BaseException) -> str:
    """What an error of somebody's own says, if it can speak."""
    try:
        return foreign(str(error))
    except Exception:
        return "(its message can't be shown)"
