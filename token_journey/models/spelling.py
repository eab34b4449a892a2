"""What a tokenizer's tokens stand for, as bytes, whatever kind of tokenizer it is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from token_journey.llama.vocabulary import bytes_of


@dataclass(frozen=True)
class Spelling:
    """How a kind of tokenizer writes words.

    `end` is what it puts behind the last token of a word (GPT's `</w>`), `inside` before each
    but the first (BERT's `##`). `words` says that a blank lies before what has no such mark.
    """

    byte_level: bool
    end: str = ""
    inside: str = ""
    words: bool = False

    @classmethod
    def of(cls, tokenizer_json: bytes) -> Spelling:
        described = json.loads(tokenizer_json)
        model = described["model"]
        end = model.get("end_of_word_suffix") or ""
        inside = model.get("continuing_subword_prefix") or ""
        words = bool(inside) or model.get("type") == "WordLevel"
        return cls(is_byte_level(described), end, inside, words and not end)

    def bytes_of(self, token: str) -> bytes:
        inside = bool(self.inside) and token.startswith(self.inside)
        bare = token.removeprefix(self.inside) if inside else token
        ended = bool(self.end) and bare.endswith(self.end)
        bare = bare.removesuffix(self.end) if ended else bare
        before = b" " if self.words and not inside else b""
        return before + self._plain(bare) + (b" " if ended else b"")

    def _plain(self, token: str) -> bytes:
        try:
            return bytes_of(token, self.byte_level)
        except UnicodeEncodeError:  # a byte-level vocabulary with a letter that is no byte's
            return token.encode()


def is_byte_level(described: Mapping[str, Any]) -> bool:
    """Whether a tokenizer writes each byte of a text as a letter, as GPT-2's does."""
    parts = (described.get(key) for key in ("normalizer", "pre_tokenizer", "decoder"))
    return any(part.get("type") == "ByteLevel" for part in _flat(parts))


def _flat(parts: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    """Parts of a tokenizer.json, sequences opened."""
    for part in parts:
        if isinstance(part, dict):
            yield part
            for key in ("normalizers", "pretokenizers", "decoders"):
                yield from _flat(part.get(key) or ())
