"""pack.json: which model, which prompts, and how each stored tensor is to be read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from token_journey.errors import PackError

FORMAT = 1
# The pack of the figures that a public notebook printed.
PUBLISHED = "aitana-2b-s-published"
MANIFEST = "pack.json"
ACTIVATIONS = "activations.safetensors"
WEIGHTS = "weights.safetensors"
APART = "apart.safetensors"

# The index lists by which a slice cuts all its tensors alike, under the axis that each cuts.
HEADS, KEY_VALUE_HEADS = "query heads", "key/value heads"
QUERY_ROWS, KEY_VALUE_ROWS = "rows of the query heads", "rows of the key/value heads"
NEURONS, OUTPUTS = "neurons", "outputs of the attention"
# Where a model goes beyond the kata's stages.
BIASES, SCALED_ROPE = "biases", "scaled RoPE"

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


def read_manifest(folder: Path) -> dict[str, Any]:
    """What a folder's pack.json says. Raises PackError where it is no pack of this format."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise PackError(
            f"There is no pack in {folder}: a pack is a folder with a {MANIFEST}."
        ) from None
    except ValueError as error:
        raise PackError(damaged(path, f"not JSON: {error}")) from None
    if not isinstance(manifest, dict) or "format" not in manifest:
        raise PackError(damaged(path, "it has no format number"))
    if manifest["format"] != FORMAT:
        raise PackError(
            f"{folder} is a pack of format {manifest['format']} and this kit reads format "
            f"{FORMAT}: update token-journey with `git pull`."
        )
    return manifest


def entries(
    described: Mapping[str, Any], lists: Mapping[str, list[int]], prefix: str = ""
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
        return Entry(
            stored_as=prefix + name,
            tolerance=float(about.get("tolerance", 0.0)),
            end_to_end=float(about.get("end_to_end", 0.0)),
            visible={
                int(axis): tuple(lists[indices] if isinstance(indices, str) else indices)
                for axis, indices in about.get("visible", {}).items()
            },
            cut_by={
                int(axis): indices
                for axis, indices in about.get("visible", {}).items()
                if isinstance(indices, str)
            },
        )

    return {name: entry(name) for name in described}


def damaged(path: Path, why: str) -> str:
    """The sentence that refuses a file of a pack."""
    return (
        f"{path} is damaged ({why}): restore it with `git checkout {path.parent}` "
        "or capture the pack again."
    )
