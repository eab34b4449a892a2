"""A checkpoint's tokenizer: what it makes of prompts, and as much of it as they need.

A vocabulary of 256,000 tokens weighs tens of megabytes, and a few prompts can
touch some hundred of its merges. The reduced tokenizer holds those, with the ids
and the order that they had, and is tried on every prompt before it is believed.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from token_journey.errors import CheckpointError
from token_journey.memory import give_back
from token_journey.models.spelling import Spelling, is_byte_level
from token_journey.packs.manifest import Prompt

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_BYTES = {f"<0x{byte:02X}>" for byte in range(256)}
# What stands before and after the merges in a tokenizer.json.
_NOTHING_ELSE: dict[str, Any] = {
    **dict.fromkeys(("normalizer", "pre_tokenizer", "post_processor", "decoder")),
    "added_tokens": [],
}


@dataclass(frozen=True)
class Tokenized:
    """Prompts, and a tokenizer.json that gives them, if it is one that a pack can hold.

    `begin_token` is the id that is put before every text, if one is.
    """

    prompts: tuple[Prompt, ...]
    begin_token: int | None
    content: bytes | None


def tokenized(content: bytes, texts: Mapping[str, str], whole: bool = False) -> Tokenized:
    """Run texts, by their names, through a tokenizer.json.

    whole: keep all of the tokenizer; one that can't be cut down is kept anyway

    Raises CheckpointError for one that can't be read, or never ends.
    """
    try:
        return _tokenized(content, texts, whole)
    finally:
        gc.collect()
        give_back()


def _tokenized(content: bytes, texts: Mapping[str, str], whole: bool) -> Tokenized:
    prompts, begin_token = _encoded(content, texts)
    described = json.loads(content)
    if not _merges_alone(described):  # there are ids, and nothing that stage 1 could do
        return Tokenized(tuple(prompts), begin_token, None)
    model = described["model"]
    if model.get("dropout"):
        raise CheckpointError("The tokenizer drops merges by chance (dropout): ids would vary.")
    complete = {"vocab": _all_ids(described), "merges": [*map(_pair, model["merges"])]}
    small = None if whole else _reduced(described, prompts)
    kept = small or {**described, "model": {**model, **complete}}
    merging = _merging_alone(kept)
    explained = tuple(
        prompt if _merging_explains(prompt, merging, begin_token, kept) else _wordless(prompt)
        for prompt in prompts
    )
    return Tokenized(explained, begin_token, compact(kept))


def _merges_alone(described: Mapping[str, Any]) -> bool:
    """Whether tokens are made by merging bytes, or letters and bytes, and nothing else."""
    model = described["model"]
    marks = model.get("end_of_word_suffix") or model.get("continuing_subword_prefix")
    in_one_way = is_byte_level(described) is not bool(model.get("byte_fallback"))
    return model.get("type") == "BPE" and not marks and in_one_way


def _encoded(content: bytes, texts: Mapping[str, str]) -> tuple[list[Prompt], int | None]:
    """What the whole tokenizer makes of the texts, and its begin token."""
    tokenizer = opened(content)
    refuse_what_never_ends(content, texts.values())
    before = tokenizer.encode("").ids
    if _merges_alone(json.loads(content)):
        prompts = [encode_prompt(tokenizer, name, text) for name, text in texts.items()]
    else:
        spelling = Spelling.of(content)
        prompts = [_as_spelled(tokenizer, spelling, name, text) for name, text in texts.items()]
    return prompts, before[0] if len(before) == 1 else None


def _as_spelled(tokenizer: Tokenizer, spelling: Spelling, name: str, text: str) -> Prompt:
    """A prompt of which each token is what it stands for, blanks and all."""
    encoded, added = tokenizer.encode(text), tokenizer.get_added_tokens_decoder()
    pieces = (
        token if i in added else spelling.bytes_of(token).decode(errors="backslashreplace")
        for i, token in zip(encoded.ids, encoded.tokens, strict=True)
    )
    return Prompt(name, text, tuple(encoded.ids), tuple(pieces))


# A tokenizer gets so many seconds for the prompts, where it has a pattern of its own.
_SECONDS = 60.0
_TRY = """
import json, sys
from tokenizers import Tokenizer
content, texts = json.load(sys.stdin)
tokenizer = Tokenizer.from_str(content)
for text in texts:
    tokenizer.encode(text)
"""


def refuse_what_never_ends(content: bytes, texts: Iterable[str], seconds: float = _SECONDS) -> None:
    """Try a tokenizer with a regular expression in another process, for it can't be interrupted.

    Raises CheckpointError where it goes on and on, or gives up.
    """
    if b'"Regex"' not in content:
        return
    given = json.dumps([content.decode(), list(texts)])
    command = [sys.executable, "-P", "-c", _TRY]
    try:
        ended = subprocess.run(command, input=given.encode(), capture_output=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        ended = None
    if ended is None or ended.returncode:
        raise CheckpointError(
            "The tokenizer's pattern (a Regex in tokenizer.json) does not come to an end on this "
            "text: try a shorter one, or another model."
        )


def opened(content: bytes) -> Tokenizer:
    """The tokenizer of a tokenizer.json; it cuts no text short. Raises CheckpointError."""
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(content.decode())
    except Exception as error:  # the library raises plain Exception
        raise CheckpointError(
            f"tokenizer.json can't be read by the tokenizers library ({error})."
        ) from None
    # What would cut a long prompt short, or make all as long as the longest.
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


# -- words ------------------------------------------------------------------------


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


def _merging_explains(
    prompt: Prompt, merging: Tokenizer, begin_token: int | None, described: Mapping[str, Any]
) -> bool:
    """Whether merging inside words is all that happens to a text.

    It is not where special tokens stand in it, or words are taken whole.
    """
    merged = [i for word in prompt.words for i in merging.encode(word).ids]
    begin = [] if begin_token is None else [begin_token]
    unknown = described["model"]["vocab"].get(described["model"].get("unk_token"))
    return [*begin, *merged] == list(prompt.ids) and unknown not in merged


def _wordless(prompt: Prompt) -> Prompt:
    return replace(prompt, words=())


def _merging_alone(described: Mapping[str, Any]) -> Tokenizer:
    """The same merges, and nothing before or after them."""
    from tokenizers import pre_tokenizers

    model = {**described["model"], "ignore_merges": False}
    made = _made({**described, **_NOTHING_ELSE, "model": model})
    if not model.get("byte_fallback"):
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return made


# -- cutting it down ------------------------------------------------------------------


def _reduced(described: Mapping[str, Any], prompts: Sequence[Prompt]) -> dict[str, Any] | None:
    """What the prompts need of a tokenizer, and their tokens' spelling.

    None should it give other ids than the whole one, or be none.
    """
    try:
        small = _cut_down(described, prompts)
        tokenizer = _made(small)
    except Exception:  # the library raises plain Exception
        return None
    same = all(tuple(tokenizer.encode(p.text).ids) == p.ids for p in prompts)
    return small if same else None


def _cut_down(described: Mapping[str, Any], prompts: Sequence[Prompt]) -> dict[str, Any]:
    model, ids = described["model"], _all_ids(described)
    cutting = _made({**described, "model": {**model, "vocab": {}, "merges": [], **_NO_UNKNOWN}})
    parts = {part for p in prompts for word in _spelled(cutting, p) for part in _parts(word, ids)}
    used = {i for prompt in prompts for i in prompt.ids}
    always = _BYTES | {token["content"] for token in described["added_tokens"]}
    always |= {model.get("unk_token")}
    kept = {
        token: i
        for token, i in ids.items()
        if token in parts or token in always or i in used or _is_a_byte(token, model)
    }
    merges = [pair for pair in map(_pair, model["merges"]) if {*pair, "".join(pair)} <= parts]
    return {**described, "model": {**model, "vocab": kept, "merges": merges}}


_NO_UNKNOWN = {"unk_token": None, "byte_fallback": False}


def _pair(merge: str | list[str]) -> list[str]:
    """Two symbols; older files write them as one text, with a space between."""
    return merge.split(" ", 1) if isinstance(merge, str) else merge


def _is_a_byte(token: str, model: Mapping[str, Any]) -> bool:
    """Whether a byte-level vocabulary writes a byte so; its letters are all below U+0144."""
    return len(token) == 1 and ord(token) < 0x144 and not model.get("byte_fallback")


def _spelled(tokenizer: Tokenizer, prompt: Prompt) -> list[str]:
    """The words as merging sees them: what leaves the pre-tokenizer."""
    text = prompt.text
    if tokenizer.normalizer is not None:
        text = tokenizer.normalizer.normalize_str(text)
    if tokenizer.pre_tokenizer is None:
        return [text]
    return [word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text)]


def _parts(word: str, ids: Mapping[str, int]) -> set[str]:
    """Every stretch of a word that is a token."""
    longest = max(map(len, ids), default=0)
    return {
        part
        for begin in range(len(word))
        for end in range(begin + 1, min(len(word), begin + longest) + 1)
        if (part := word[begin:end]) in ids
    }


def _all_ids(described: Mapping[str, Any]) -> dict[str, int]:
    """The vocabulary with the tokens that were added to it."""
    added = {token["content"]: token["id"] for token in described["added_tokens"]}
    return {**described["model"]["vocab"], **added}


def _made(described: Mapping[str, Any]) -> Tokenizer:
    from tokenizers import Tokenizer

    made: Tokenizer = Tokenizer.from_str(json.dumps(described))
    made.no_truncation()
    made.no_padding()
    return made


def compact(described: Mapping[str, Any]) -> bytes:
    """A tokenizer.json without the spaces, less than half the size."""
    return json.dumps(described, ensure_ascii=False, separators=(",", ":")).encode()
