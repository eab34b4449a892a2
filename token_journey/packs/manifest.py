"""pack.json: which model, which prompts, and how each stored tensor is to be read."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from token_journey.errors import PackError
from token_journey.files import plain_json, sha256_of
from token_journey.foreign import foreign
from token_journey.llama.config import ModelConfig

FORMAT = 1
# The pack of the figures that a public notebook printed.
PUBLISHED = "aitana-2b-s-published"
MANIFEST = "pack.json"
# Beside it, its SHA-256.
SEAL = "pack.sha256"
ACTIVATIONS = "activations.safetensors"
WEIGHTS = "weights.safetensors"
APART = "apart.safetensors"

# The index lists by which a slice cuts all its tensors alike, under the axis that each cuts.
HEADS, KEY_VALUE_HEADS = "query heads", "key/value heads"
QUERY_ROWS, KEY_VALUE_ROWS = "rows of the query heads", "rows of the key/value heads"
NEURONS, OUTPUTS = "neurons", "outputs of the attention"
# Where a model goes beyond the kata's stages.
BIASES, SCALED_ROPE = "biases", "scaled RoPE"

# The longest that pack.json may be, and the largest numbers that models have.
_LONGEST = 3 * 10**7
_LARGEST = {"vocab_size": 10**8, "num_hidden_layers": 10_000}
_MOST_TOKENS = 10**6

# Which indices of which axis are kept; a name stands for one of the pack's index lists.
Kept = Mapping[int, Sequence[int] | str]


@dataclass(frozen=True)
class Prompt:
    """One text that the model was shown.

    `words` is the text cut by the tokenizer's own pre-tokenizer: merges
    never cross a word. It is empty where the pack has no tokenizer.
    """

    name: str
    text: str
    ids: tuple[int, ...]
    pieces: tuple[str, ...]
    words: tuple[str, ...] = ()
    start: int = 0


@dataclass(frozen=True)
class Generation:
    """A greedy continuation: `ids` are the prompt's ids and the new ones."""

    prompt: str
    max_new_tokens: int
    min_new_tokens: int
    eos_ids: list[int]
    ids: list[int]


@dataclass(frozen=True)
class Entry:
    """How one stored activation or weight is to be read.

    `tolerance` is the largest distance at which a correct answer may lie when it
    is computed from the captured activations just before it, `end_to_end` when
    it is computed from the token ids. `visible` maps an axis number to the
    indices that are stored, where the tensor is only a part of what the model
    computed, and `cut_by` to the index list that says so, where one does.
    `stored_as` is the name in the file: two names of the same numbers
    (`blocks.1.resid_pre`, `blocks.0.resid_post`) are stored once.
    """

    tolerance: float = 0.0
    end_to_end: float = 0.0
    visible: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    stored_as: str = ""
    cut_by: Mapping[int, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return not self.visible


@dataclass(frozen=True)
class Manifest:
    """What a pack.json says; `said` is all of it, as JSON."""

    said: dict[str, Any]
    config: ModelConfig
    prompts: dict[str, Prompt]
    generations: list[Generation]
    index_lists: dict[str, list[int]]
    activations: dict[str, Entry]
    weights: dict[str, Entry]
    apart: dict[str, Entry]
    files: dict[str, FileFacts]

    @property
    def tokenizer(self) -> str | None:
        """The tokenizer's file, if there is one."""
        about = self.said["tokenizer"]
        return about["file"] if about else None

    @property
    def by_file(self) -> dict[str, dict[str, Entry]]:
        """What each safetensors file holds."""
        return {ACTIVATIONS: self.activations, WEIGHTS: self.weights, APART: self.apart}


@dataclass(frozen=True)
class FileFacts:
    """What a file must be to be the one that was captured."""

    sha256: str
    bytes: int


def read_manifest(folder: Path) -> Manifest:
    """What a folder's pack.json says.

    Raises PackError where it is no pack of this format, is not the one that was sealed,
    or says what no capture writes.
    """
    path = folder / MANIFEST
    if not _is_there(path):
        raise PackError(f"There is no pack in {folder}: a pack is a folder with a {MANIFEST}.")
    content = _content(path, _LONGEST)
    said = _parsed(path, content)
    _refuse_other_formats(folder, said)
    _refuse_another_seal(folder, content)
    try:
        return _read(said)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise PackError(
            f"{path} is not a pack's description ({foreign(repr(error))}): "
            "restore it with `git checkout packs` or capture the pack again."
        ) from None


def seal(folder: Path) -> None:
    """Write down the SHA-256 of a folder's pack.json, as `sha256sum` does. Raises OSError."""
    line = f"{sha256_of(folder / MANIFEST)}  {MANIFEST}\n"
    (folder / SEAL).write_text(line, encoding="utf-8", newline="\n")


def damaged(path: Path, why: str) -> PackError:
    """The sentence that refuses a file of a pack."""
    return PackError(
        f"{path} is damaged ({foreign(why)}): restore it with `git checkout {path.parent}` "
        "or capture the pack again."
    )


# -- the file -----------------------------------------------------------------


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (OSError, ValueError):  # also a name of 5,000 letters, or with a NUL in it
        return False
    return True


def _content(path: Path, longest: int) -> bytes:
    """Raises PackError for what is no file: a pipe would never end."""
    if not path.is_file():
        raise damaged(path, "it is no file")
    try:
        with path.open("rb") as stream:
            content = stream.read(longest + 1)
    except OSError as error:
        raise damaged(path, error.strerror or "it can't be read") from None
    if len(content) > longest:
        raise damaged(path, f"it is longer than {longest:,} bytes")
    return content


def _parsed(path: Path, content: bytes) -> dict[str, Any]:
    """JSON in which every number is one."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no number")

    try:
        said = plain_json(content, refuse)
    except (ValueError, RecursionError) as error:
        raise damaged(path, f"not JSON: {error}") from None
    if not isinstance(said, dict) or type(said.get("format")) is not int:
        raise damaged(path, "it has no format number")
    return said


def _refuse_other_formats(folder: Path, said: Mapping[str, Any]) -> None:
    if said["format"] != FORMAT:
        raise PackError(
            f"{folder} is a pack of format {said['format']} and this kit reads format "
            f"{FORMAT}: update token-journey with `git pull`."
        )


def _refuse_another_seal(folder: Path, content: bytes) -> None:
    if not _is_there(folder / SEAL):
        raise damaged(folder / SEAL, "the file is not there")
    sealed = _content(folder / SEAL, 1000).split()
    if sealed[:1] != [hashlib.sha256(content).hexdigest().encode()]:
        raise damaged(folder / MANIFEST, f"its SHA-256 is not the one in {SEAL}")


# -- what it says -------------------------------------------------------------


def _read(said: dict[str, Any]) -> Manifest:
    """Raises KeyError, TypeError, ValueError, AttributeError, OverflowError for nonsense."""
    for key in ("name", "title"):
        if not (_is(str, said[key], key) and said[key].isprintable() and len(said[key]) <= 200):
            raise ValueError(f"{key} can't be shown")
    _is(str, _is(dict, said["model"], "model")["id"], "the model's id")
    _is(dict, said["captured"], "captured")
    for key in ("held_back", "sliced"):
        _is(bool, said.get(key, False), key)
    for what, how in said.get("beyond", {}).items():
        _is(str, how, what)
    config = _config(said["config"])
    prompts = [_prompt(about, config) for about in said["prompts"]]
    lists = said.get("index_lists", {})
    places = {name: _places(indices, name) for name, indices in lists.items()}
    by_name = {prompt.name: prompt for prompt in prompts}
    if len(by_name) != len(prompts):
        raise ValueError("two prompts have one name")
    manifest = Manifest(
        said,
        config,
        by_name,
        [_generation(about, by_name, config) for about in said.get("generations", ())],
        lists,
        _entries(said["activations"], places),
        _entries(said["weights"], places),
        {
            f"{group}/{name}": entry
            for group, about in said.get("apart", {}).items()
            if _is(str, about["why"], f"why {group} is apart")
            for name, entry in _entries(about["tensors"], places, f"{group}/").items()
        },
        {_file_name(name): _facts(about) for name, about in said["files"].items()},
    )
    _refuse_odd_activations(manifest)
    _refuse_odd_tokenizers(said["tokenizer"], config)
    return manifest


def _is(kind: type, value: Any, what: str) -> Any:
    """The value, if it is of this kind: `true` is no number, and text has letters alone."""
    if type(value) is not kind:
        raise ValueError(f"{what} is {value!r}"[:200])
    if isinstance(value, str):
        value.encode()  # half a character can't be shown
    return value


def _number(value: Any, least: float, most: float, what: str) -> Any:
    if type(value) not in (int, float) or not least <= value <= most:
        raise ValueError(f"{what} is {value!r}"[:200])
    return value


def _whole(value: Any, least: int, most: int, what: str) -> int:
    number: int = _number(_is(int, value, what), least, most, what)
    return number


def _config(about: dict[str, Any]) -> ModelConfig:
    config = ModelConfig(**about)
    for key, value in about.items():
        if key == "tie_word_embeddings":
            _is(bool, value, key)
        elif key == "rms_norm_eps":
            _number(value, 0.0, 1.0, key)
        elif key == "rope_theta":
            _number(value, 1e-6, 1e12, key)
        else:
            _whole(value, 1, _LARGEST.get(key, 10**6), key)
    if config.num_attention_heads % config.num_key_value_heads or config.head_dim % 2:
        raise ValueError("config describes no heads")
    return config


def _prompt(about: dict[str, Any], config: ModelConfig) -> Prompt:
    name, ids, pieces = _is(str, about["name"], "a prompt's name"), about["ids"], about["pieces"]
    if not (name and name.isprintable() and "/" not in name and len(name) <= 200):
        raise ValueError(f"{name[:200]!r} is no name of a prompt")
    _refuse_odd_ids(ids, config, name)
    if len(pieces) != len(ids):
        raise ValueError(f"prompt {name!r} has {len(ids)} ids and {len(pieces)} pieces")
    return Prompt(
        name,
        _is(str, about["text"], f"the text of {name}"),
        tuple(ids),
        tuple(_is(str, piece, f"a piece of {name}") for piece in pieces),
        tuple(_is(str, word, f"a word of {name}") for word in about.get("words", ())),
        _whole(about.get("start", 0), 0, 10**9, f"the start of {name}"),
    )


def _refuse_odd_ids(ids: Any, config: ModelConfig, name: str) -> None:
    known = _is(list, ids, f"the ids of {name}") and len(ids) <= _MOST_TOKENS
    if not known or not all(type(i) is int and 0 <= i < config.vocab_size for i in ids):
        raise ValueError(f"prompt {name!r} has ids that are none")


def _generation(
    about: dict[str, Any], prompts: Mapping[str, Prompt], config: ModelConfig
) -> Generation:
    generation = Generation(**about)
    begun = list(prompts[generation.prompt].ids)
    _refuse_odd_ids(generation.ids, config, generation.prompt)
    if generation.ids[: len(begun)] != begun:
        raise ValueError(f"a generation does not begin as {generation.prompt!r}")
    for count in (generation.min_new_tokens, generation.max_new_tokens):
        _whole(count, 0, _MOST_TOKENS, "a generation's length")
    for token in _is(list, generation.eos_ids, "eos_ids"):
        _whole(token, 0, config.vocab_size - 1, "an end token")
    return generation


def _places(indices: Any, name: str) -> tuple[int, ...]:
    places = tuple(_is(list, indices, name))
    if not places or not all(type(i) is int and i >= 0 for i in places):
        raise ValueError(f"{name!r} names places that are none"[:200])
    if len(set(places)) != len(places):
        raise ValueError(f"{name!r} names a place twice"[:200])
    return places


def _entries(
    described: Mapping[str, Any], lists: Mapping[str, tuple[int, ...]], prefix: str = ""
) -> dict[str, Entry]:
    """Read entries; an `{"alias": other}` is the other's entry under a second name.

    `visible` may name one of the manifest's `index_lists` where many tensors
    are cut to the same indices. Raises KeyError for a name that is not there.
    """

    def entry(name: str) -> Entry:
        about = described[name]
        if "alias" in about:
            name = about["alias"]
            about = described[name]
        visible = about.get("visible", {}).items()
        return Entry(
            tolerance=_tolerance(about, "tolerance", name),
            end_to_end=_tolerance(about, "end_to_end", name),
            visible={
                _whole(int(axis), 0, 2, f"an axis of {name}"): lists[indices]
                if isinstance(indices, str)
                else _places(indices, name)
                for axis, indices in visible
            },
            stored_as=prefix + name,
            cut_by={int(axis): indices for axis, indices in visible if isinstance(indices, str)},
        )

    return {name: entry(name) for name in _is(dict, described, "a list of tensors")}


def _tolerance(about: Mapping[str, Any], key: str, name: str) -> float:
    return float(_number(about.get(key, 0.0), 0.0, sys.float_info.max, f"{key} of {name}"))


def _file_name(name: str) -> str:
    if set("/\\\0") & set(name) or name in ("", ".", "..", MANIFEST, SEAL):
        raise ValueError(f"{name!r} is no name of a file")
    return name


def _facts(about: dict[str, Any]) -> FileFacts:
    return FileFacts(_is(str, about["sha256"], "a SHA-256"), _is(int, about["bytes"], "a size"))


def _refuse_odd_activations(manifest: Manifest) -> None:
    """Only `embed` is a copy, which nothing may be apart from."""
    for name, entry in manifest.activations.items():
        prompt = manifest.prompts[name.partition("/")[0]]
        copied = entry.stored_as == f"{prompt.name}/embed"
        if not copied and not (entry.tolerance > 0 and entry.end_to_end > 0):
            raise ValueError(f"a tolerance of {name} is 0")


def _refuse_odd_tokenizers(about: Any, config: ModelConfig) -> None:
    if about is None:
        return
    _file_name(_is(str, _is(dict, about, "tokenizer")["file"], "the tokenizer's file"))
    if about.get("begin_token") is not None:
        _whole(about["begin_token"], 0, config.vocab_size - 1, "begin_token")
