"""Consoles that can't write our signs get plain ones: bars of # and ., arrows of > and <."""

from __future__ import annotations

import codecs
import unicodedata
from typing import TextIO

_ERRORS = "token_journey.glyphs"
_GROUPS = {
    "#": "█▉▊▋▌▆▇▓", ":": "▃▄▅▒", ".": "▍▎▏▁▂░·•",
    "-": "─━═−–—┄", "|": "│┃║", "+": "┌┐└┘├┤┬┴┼┷╭╮╰╯",
    ">": "→⇥", "<": "←", "^": "↑▲", "v": "↓▼", "x": "×✗✘", "*": "⊙✓✔", "o": "○●◇",
    "_": "␣", "/": "⏎␍", '"': "“”„«»", "'": "‘’", "~": "≈", "<=": "≤", ">=": "≥", "...": "…",
    "sqrt": "√", "inf": "∞", "gamma": "γ", "theta": "θ", "eps": "ε", "deg": "°", "^l": "ˡ",
    "u": "µ",
}  # fmt: skip
_PLAIN = {sign: plain for plain, signs in _GROUPS.items() for sign in signs}


def write_plainly(stream: TextIO) -> None:
    """Let a stream write plain signs, where its encoding has not ours."""
    codecs.register_error(_ERRORS, _replaced)
    if hasattr(stream, "reconfigure"):  # what tests put in its place can write all
        stream.reconfigure(errors=_ERRORS)


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_plain, error.object[error.start : error.end])), error.end


def _plain(sign: str) -> str:
    """A sign in ASCII: a letter without its accent, or a question mark for what has none."""
    if sign in _PLAIN:
        return _PLAIN[sign]
    return unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode() or "?"
