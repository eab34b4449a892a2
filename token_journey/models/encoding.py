"""Texts as packs describe them: ids, pieces and words, by the tokenizers library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from token_journey.packs.manifest import Prompt

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def encode_prompt(tokenizer: Tokenizer, name: str, text: str, start: int = 0) -> Prompt:
    """A text as the tokenizer sees it, special tokens included."""
    encoded = tokenizer.encode(text)
    return Prompt(
        name=name,
        text=text,
        ids=tuple(encoded.ids),
        pieces=tuple(encoded.tokens),
        words=_words(tokenizer, text),
        start=start,
    )


def _words(tokenizer: Tokenizer, text: str) -> tuple[str, ...]:
    """The text as the tokenizer's own pre-tokenizer cuts it; merges stay inside a word.

    A byte-level pre-tokenizer writes bytes as other characters (`Ġcapital`);
    what is wanted of it is where it cuts. Metaspace's `▁` is part of the text
    that it merges, so its words are taken as they are. Some tokenizers write `▁`
    in their normaliser and cut nowhere: then the text is one word.
    """
    if tokenizer.normalizer is not None:
        text = tokenizer.normalizer.normalize_str(text)
    if tokenizer.pre_tokenizer is None:
        return (text,) if text else ()
    cuts = tokenizer.pre_tokenizer.pre_tokenize_str(text)
    if tokenizer.model.byte_fallback:
        return tuple(word for word, _ in cuts)
    return tuple(text[start:end] for _, (start, end) in cuts)
