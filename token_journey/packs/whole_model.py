"""The whole SmolLM2, once it has been fetched, in the place of its slice."""

from __future__ import annotations

from pathlib import Path

from token_journey.errors import PackError, install
from token_journey.files import cache_folder
from token_journey.packs.pack import Pack

_SLICE = "smollm2-135m"
FOLDER = "smollm2-135m-instruct"
# A folder is complete when it is there, but someone may have emptied it.
_PARTS = ("config.json", "model.safetensors", "tokenizer.json")


def whole_model_folder() -> Path | None:
    """The folder of the whole model, or None if it has not been fetched."""
    folder = cache_folder() / FOLDER
    return folder if all((folder / part).is_file() for part in _PARTS) else None


def fetched() -> bool:
    """Whether the whole model is here."""
    return whole_model_folder() is not None


def with_whole_model(packs: list[Pack]) -> list[Pack]:
    """The same packs, SmolLM2's with all its weights.

    Raises PackError where the model has not been fetched.
    """
    folder = whole_model_folder()
    if folder is None:
        raise PackError(
            f"The whole SmolLM2 is not here yet: run {install('models')} and then "
            "`token-journey fetch` (93 MB)."
        )
    weights = folder / "model.safetensors"
    return [pack.completed_by(weights) if pack.name == _SLICE else pack for pack in packs]
