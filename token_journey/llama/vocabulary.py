"""A tokenizer's vocabulary and merges, as bytes.

Byte-level BPE (GPT-2's, SmolLM2's) writes each byte as a printable character;
SentencePiece-style BPE (Aitana's) writes text, a `▁` for a space and `<0xC3>`
for a byte it has no letter for. Learners get one form: bytes, a space being b" ".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_BYTE_TOKEN = re.compile(r"<0x([0-9A-F]{2})>")


@dataclass(frozen=True)
class Vocabulary:
    """`ids` maps a token's bytes to its id; `ranks` a pair of symbols to its merge rank.

    `id_to_bytes` knows every id. Where two tokens stand for the same byte (the
    letter `a` and the byte `<0x61>`), `ids` has the letter, which text becomes.
    """

    ids: dict[bytes, int]
    ranks: dict[tuple[bytes, bytes], int]
    byte_level: bool
    id_to_bytes: dict[int, bytes]

    def symbols(self, word: str) -> list[bytes]:
        """What merging starts from: single bytes, or single characters."""
        if self.byte_level:
            return [bytes([b]) for b in word.encode()]
        return [character.encode() for character in word.replace("▁", " ")]

    @classmethod
    def from_tokenizer_json(cls, text: str) -> Vocabulary:
        """Read the `tokenizer.json` of the tokenizers library."""
        described = json.loads(text)
        model = described["model"]
        byte_level = not model.get("byte_fallback", False)
        special = {token["content"] for token in described.get("added_tokens", ())}
        spelled = {
            token: token.encode() if token in special else bytes_of(token, byte_level)
            for token in model["vocab"]
        }
        id_to_bytes = {token_id: spelled[token] for token, token_id in model["vocab"].items()}
        # The bytes of byte fallback first, so that a letter takes its byte's place.
        in_order = list(id_to_bytes)
        if not byte_level:
            bare = {i for token, i in model["vocab"].items() if _BYTE_TOKEN.fullmatch(token)}
            in_order.sort(key=lambda token_id: token_id not in bare)
        ids = {id_to_bytes[token_id]: token_id for token_id in in_order}
        # What merges join are tokens themselves, so their bytes are known by now.
        ranks = {
            (spelled[left], spelled[right]): rank
            for rank, (left, right) in enumerate(model["merges"])
        }
        return cls(ids, ranks, byte_level, id_to_bytes)


def _gpt2_alphabet() -> dict[str, int]:
    """Which byte each character of a byte-level vocabulary stands for.

    Printable Latin-1 stands for itself; the other 68 bytes take the code
    points from 256 on, in order (GPT-2's `bytes_to_unicode`).
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in set(printable)]
    alphabet = {chr(b): b for b in printable}
    alphabet.update({chr(256 + n): b for n, b in enumerate(others)})
    return alphabet


_ALPHABET = _gpt2_alphabet()
# str.translate and latin-1 turn a whole token at once, much faster than a loop.
_TO_LATIN_1 = {ord(character): byte for character, byte in _ALPHABET.items()}


def bytes_of(token: str, byte_level: bool) -> bytes:
    """The bytes that a token of a vocabulary stands for."""
    return _byte_level(token) if byte_level else _sentence_piece(token)


def _byte_level(token: str) -> bytes:
    return token.translate(_TO_LATIN_1).encode("latin-1")


def _sentence_piece(token: str) -> bytes:
    byte = _BYTE_TOKEN.fullmatch(token)
    return bytes([int(byte[1], 16)]) if byte else token.replace("▁", " ").encode()
