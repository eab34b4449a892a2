"""A checkpoint's tokenizer: what it makes of prompts, and as much of it as they need.

A vocabulary of 256,000 tokens weighs tens of megabytes, and a few prompts can
touch some hundred of its merges. The reduced tokenizer holds those, with the ids
and the order that they had, and is tried on every prompt before it is believed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from token_journey.bytesource import CheckpointError
from token_journey.encoding import encode_prompt
from token_journey.pack import Prompt

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


class CheckpointTokenizer:
    """A tokenizer.json, read by the tokenizers library. Raises CheckpointError."""

    def __init__(self, content: bytes):
        from tokenizers import Tokenizer

        try:
            self._tokenizer: Tokenizer = Tokenizer.from_str(content.decode())
            # As today's library writes it: older files write merges in another way.
            self._described: dict[str, Any] = json.loads(self._tokenizer.to_str())
        except Exception as error:  # the library raises plain Exception
            raise CheckpointError(
                f"tokenizer.json can't be read by the tokenizers library ({error})."
            ) from None
        if self._model.get("dropout"):
            raise CheckpointError("The tokenizer drops merges by chance (dropout): ids would vary.")
        # What would cut a long prompt short, or make all as long as the longest.
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    @property
    def _model(self) -> dict[str, Any]:
        model: dict[str, Any] = self._described["model"]
        return model

    @property
    def begin_token(self) -> int | None:
        """The id that is put before every text, if one is."""
        before = self._tokenizer.encode("").ids
        return before[0] if len(before) == 1 else None

    def prompt(self, name: str, text: str) -> Prompt:
        """A text as the model sees it.

        It has no words where merging inside words is not all that happens to it:
        another kind of tokenizer, special tokens in the text, words taken whole.
        """
        if self._model["type"] != "BPE":
            encoded = self._tokenizer.encode(text)
            return Prompt(name, text, tuple(encoded.ids), tuple(encoded.tokens))
        prompt = encode_prompt(self._tokenizer, name, text)
        merged = [i for word in prompt.words for i in self._merging_alone.encode(word).ids]
        begin = [] if self.begin_token is None else [self.begin_token]
        if [*begin, *merged] == list(prompt.ids) and self._unknown not in prompt.ids:
            return prompt
        return replace(prompt, words=())

    @property
    def _unknown(self) -> int | None:
        unknown: int | None = self._model["vocab"].get(self._model.get("unk_token"))
        return unknown

    @property
    def _merging_alone(self) -> Tokenizer:
        """The same merges, and nothing before or after them."""
        if not hasattr(self, "_bare"):
            self._bare = _made({**self._described, **_BARE, "model": self._plain_model()})
            if not self._model["byte_fallback"]:
                from tokenizers import pre_tokenizers

                self._bare.pre_tokenizer = _byte_level(pre_tokenizers)
        return self._bare

    def _plain_model(self) -> dict[str, Any]:
        return {**self._model, "ignore_merges": False}

    # -- for the pack -----------------------------------------------------------

    def whole(self) -> bytes | None:
        """All of it; None where its vocabulary is not one that a pack can hold."""
        if self._model["type"] != "BPE":
            return None
        return _compact({**self._described, "model": {**self._model, "vocab": self._all_ids()}})

    def reduced(self, prompts: Sequence[Prompt]) -> bytes | None:
        """What the prompts need of it, and their tokens' spelling.

        Raises CheckpointError should it give other ids than the whole one.
        """
        if self._model["type"] != "BPE":
            return None
        parts = {part for prompt in prompts for part in self._parts(prompt)}
        kept_ids = {i for prompt in prompts for i in prompt.ids}
        merges = [pair for pair in self._model["merges"] if {*pair, "".join(pair)} <= parts]
        always = {*_BYTES, *self._special()}
        ids = {
            token: i
            for token, i in self._all_ids().items()
            if token in parts or token in always or i in kept_ids or (len(token) == 1 and i < 512)
        }
        described = {**self._described, "model": {**self._model, "vocab": ids, "merges": merges}}
        small = _made(described)
        for prompt in prompts:
            if tuple(small.encode(prompt.text).ids) != prompt.ids:
                raise CheckpointError(
                    f"The tokenizer can't be cut down to prompt {prompt.name}: leave out --slice."
                )
        return _compact(described)

    def _parts(self, prompt: Prompt) -> Collection[str]:
        """Every stretch of a word that a token could be, in the vocabulary's own letters."""
        longest = max(map(len, self._model["vocab"]), default=0)
        found: set[str] = set()
        for word in self._spelled(prompt):
            for begin in range(len(word)):
                stop = min(len(word), begin + longest)
                found.update(word[begin:end] for end in range(begin + 1, stop + 1))
        return found

    def _spelled(self, prompt: Prompt) -> list[str]:
        """The words as merging sees them; what comes out of normaliser and pre-tokenizer."""
        tokenizer, text = self._tokenizer, prompt.text
        if tokenizer.normalizer is not None:
            text = tokenizer.normalizer.normalize_str(text)
        if tokenizer.pre_tokenizer is None:
            return [text]
        return [word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text)]

    def _special(self) -> set[str]:
        return {token["content"] for token in self._described["added_tokens"]}

    def _all_ids(self) -> dict[str, int]:
        """The vocabulary with the tokens that were added to it."""
        added = {token["content"]: token["id"] for token in self._described["added_tokens"]}
        return {**self._model["vocab"], **added}


# What stands before and after the merges in a tokenizer.json.
_BARE: dict[str, Any] = {
    **dict.fromkeys(("normalizer", "pre_tokenizer", "post_processor", "decoder")),
    "added_tokens": [],
}


def _byte_level(pre_tokenizers: Any) -> Any:
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)


def _made(described: dict[str, Any]) -> Tokenizer:
    from tokenizers import Tokenizer

    made: Tokenizer = Tokenizer.from_str(json.dumps(described))
    return made


def _compact(described: dict[str, Any]) -> bytes:
    return json.dumps(described, ensure_ascii=False, separators=(",", ":")).encode()
