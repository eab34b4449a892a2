"""Whatever a user names, a pack, a checkpoint or `smollm2`, opened for any number of walks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from token_journey.course.course import Course
from token_journey.errors import JourneyError, install
from token_journey.journey.build.assemble import assemble
from token_journey.journey.journey import Journey
from token_journey.journey.material import Material
from token_journey.journey.sources.from_pack import given_to_stages, material_of
from token_journey.journey.sources.from_stages import GivenToStages, taken_by
from token_journey.journey.sources.settings import Settings
from token_journey.models.fetch import REQUIREMENT
from token_journey.packs.manifest import MANIFEST, PUBLISHED
from token_journey.packs.pack import Pack, find_packs
from token_journey.packs.whole_model import whole_model_folder

SMOLLM2 = "smollm2"
DEFAULT = Settings()


@dataclass(frozen=True)
class WalkableModel:
    """A model, or what was captured of one.

    `material` gives what is known of a sentence, and `given` what somebody's own stages are
    given to walk it.
    """

    course: Course
    material: Callable[[str | None], Material]
    given: Callable[[Material], GivenToStages]

    def walk(self, text: str | None = None, layer: int = 0, folder: Path | None = None) -> Journey:
        """The journey of a sentence. Raises JourneyError.

        text:   a pack knows some sentences only, and takes its first if none is given
        layer:  the one to look into
        folder: whose stages walk it, if not the model itself
        """
        material = self.material(text)
        layers = material.config.num_hidden_layers
        if not 0 <= layer < layers:
            raise JourneyError(
                f"There is no layer {layer}: {material.title} has 0 to {layers - 1}."
            )
        if folder is not None:
            material = taken_by(folder, self.course, self.given(material), material)
        return assemble(material, layer)


@contextmanager
def opened(
    name: str, course: Course, settings: Settings = DEFAULT, revision: str | None = None
) -> Iterator[WalkableModel]:
    """What a user means by a name: `smollm2`, a pack, a folder or a repository on the hub.

    settings: what is left to chance where the sentence goes on

    Raises JourneyError, and what opening a pack or a checkpoint raises.
    """
    if (pack := _pack(name, course)) is not None:
        yield _in_pack(pack, course)
        return
    _require_models(name)
    from token_journey.journey.sources.from_model import given_to_stages as given
    from token_journey.journey.sources.from_model import material_of as computed
    from token_journey.journey.sources.from_model import opened_model

    folder = _smollm2() if name == SMOLLM2 else name
    with opened_model(folder, revision) as model:
        if name == SMOLLM2:
            model = replace(
                model,
                title="SmolLM2-135M-Instruct",
                origin=f"the 4-bit weights in {REQUIREMENT}, rounded to bfloat16",
            )
        yield WalkableModel(
            course,
            lambda text: computed(model, text or "", settings),
            partial(given, model),
        )


def published(course: Course) -> WalkableModel:
    """The walk that was published of the real Aitana-2B-S."""
    return _in_pack(Pack(course.packs / PUBLISHED), course)


def _in_pack(pack: Pack, course: Course) -> WalkableModel:
    if pack.held_back:
        raise JourneyError(f"{pack.name} is held back: what it expects is not shown.")
    return WalkableModel(
        course, partial(material_of, pack), lambda m: given_to_stages(pack, m.text)
    )


def _pack(name: str, course: Course) -> Pack | None:
    """A pack by its folder, or by its name if it lies in packs/."""
    if (Path(name) / MANIFEST).is_file():
        return Pack(Path(name))
    known = {folder.name: folder for folder in find_packs(course.packs)}
    return Pack(known[name]) if name in known else None


def _require_models(name: str) -> None:
    if find_spec("transformers") is None or find_spec("accelerate") is None:
        raise JourneyError(f"To run {name} transformers is needed: {install('models')}.")


def _smollm2() -> Path:
    folder = whole_model_folder()
    if folder is None:
        raise JourneyError(
            "SmolLM2 is not here yet: run `token-journey fetch` (93 MB), or look at what the "
            "repository holds of it with `token-journey show --model smollm2-135m`."
        )
    return folder
