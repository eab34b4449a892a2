"""Files that are the same but for comments and white space. Nothing finer is claimed.

Five right lines of rms_norm look alike, whoever wrote them.
"""

from __future__ import annotations

import hashlib
import io
import tokenize
from collections.abc import Mapping
from functools import cache, lru_cache

from token_journey.course.course import Course
from token_journey.course.stubs import make_stub

_LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER}
_STRUCTURE = {tokenize.NEWLINE: "\n", tokenize.INDENT: ">", tokenize.DEDENT: "<"}
# Longer files are compared byte by byte: a stage has a few thousand bytes.
_LONGEST = 200_000


@lru_cache(maxsize=64)  # it is asked several times of the hand-in at hand
def fingerprint(source: bytes) -> str:
    """The same for files that differ in comments, white space and texts that stand alone."""
    return hashlib.sha256("\0".join(_tokens(source)).encode("utf-8", "replace")).hexdigest()[:16]


def _tokens(source: bytes) -> list[str]:
    """Without docstrings, which most people leave as the stub has them."""
    if len(source) > _LONGEST:
        return [hashlib.sha256(source).hexdigest()]
    found: list[str] = []
    starts = True  # of a statement
    try:
        for token in tokenize.tokenize(io.BytesIO(source).readline):
            if token.type in _LAYOUT or (starts and token.type == tokenize.STRING):
                continue
            starts = token.type in _STRUCTURE
            if not (starts and found[-1:] == ["\n"] and token.type == tokenize.NEWLINE):
                found.append(_STRUCTURE.get(token.type, token.string))
    except (tokenize.TokenError, SyntaxError, UnicodeError, RecursionError, MemoryError):
        return [hashlib.sha256(source).hexdigest()]
    return found


@cache
def known(course: Course) -> Mapping[tuple[str, str], str]:
    """What a stage's file may be that nobody wrote: "the stub" or "the reference"."""
    found = {}
    for stage in course.stages() if course.reference.is_dir() else ():
        source = (course.reference / stage.file).read_text(encoding="utf-8")
        found[stage.name, fingerprint(source.encode())] = "the reference"
        found[stage.name, fingerprint(make_stub(source).encode())] = "the stub"
    return found
