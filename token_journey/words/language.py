"""In which language things are said: the one place that other languages come through."""

from __future__ import annotations


def _(sentence: str) -> str:
    """A sentence, with its `{placeholders}`, in the reader's language. There is one so far."""
    return sentence
