"""What a measurement has found so far, in a folder, so that an interrupted one can go on.

A step of it is a safetensors file: the activations that the pack keeps
something of, the layer's weights that it keeps, and the residual streams that
leave the step. `state.json` lists the steps that are complete.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from token_journey.capture.selection import Selection
from token_journey.files import sha256_of
from token_journey.packs.writer import writing

if TYPE_CHECKING:
    from torch import Tensor

    from token_journey.capture.measure import LayerFound, Streams
    from token_journey.packs.writer import Captured

_STATE = "state.json"


@dataclass(frozen=True)
class _Kept:
    """A step on disk. `allowed` holds both tolerances of `<prompt>/<activation>`."""

    file: str
    sha256: str
    layer: int | None
    allowed: dict[str, list[float]] = field(default_factory=dict)


class Resumable:
    """The steps of one capture; `begun_as` is the same for captures that are the same."""

    def __init__(self, folder: Path, selection: Selection, begun_as: str):
        self.folder = folder
        self._selection = selection
        self._begun_as = begun_as
        self._steps = self._left_over()

    @property
    def last_layer(self) -> int | None:
        """The last layer that was finished."""
        return next((s.layer for s in reversed(self._steps) if s.layer is not None), None)

    def streams(self) -> dict[str, Streams]:
        """What left the last step, by prompt."""
        from token_journey.capture.measure import Streams

        tensors = dict(self._load(self._steps[-1], "streams/"))
        kinds = ("single", "double", "other")
        return {
            prompt.name: Streams(*(tensors[f"streams/{prompt.name}/{kind}"] for kind in kinds))
            for prompt in self._selection.prompts
        }

    def add(
        self, step: LayerFound, streams: Mapping[str, Streams], weights: Mapping[str, Tensor]
    ) -> None:
        """Store a step; once it returns, the step need not be made again.

        Raises PackError where it can't be written.
        """
        from safetensors.torch import save_file

        tensors = {f"weights/{name}": weight for name, weight in weights.items()}
        allowed = {}
        for prompt, activations in step.found.items():
            for name, found in activations.items():
                if self._selection.wanted(prompt, name) or name == "logits.last":
                    tensors[f"found/{prompt}/{name}"] = found.value
                    allowed[f"{prompt}/{name}"] = [found.tolerance, found.end_to_end]
        for prompt, stream in streams.items():
            for kind, kept in vars(stream).items():
                tensors[f"streams/{prompt}/{kind}"] = kept
        file = f"step-{len(self._steps):03}.safetensors"
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            # Two names of the same memory are stored twice: that is what clone is for.
            save_file({k: t.contiguous().clone() for k, t in tensors.items()}, self.folder / file)
            self._steps.append(_Kept(file, sha256_of(self.folder / file), step.layer, allowed))
            self._write_state()

    def found(self) -> dict[str, dict[str, Captured]]:
        """Every activation that was stored, by prompt, in the order in which data flows."""
        from token_journey.packs.writer import Captured

        found: dict[str, dict[str, Captured]] = {p.name: {} for p in self._selection.prompts}
        for step in self._steps:
            tensors = dict(self._load(step, "found/"))
            for key, tolerances in step.allowed.items():
                prompt, _, name = key.partition("/")
                found[prompt][name] = Captured(tensors[f"found/{key}"], *tolerances)
        return found

    def weights(self) -> Iterator[tuple[str, Tensor]]:
        """The weights that were stored."""
        for step in self._steps:
            for name, tensor in self._load(step, "weights/"):
                yield name.removeprefix("weights/"), tensor

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- on disk ----------------------------------------------------------------

    def _load(self, step: _Kept, kind: str) -> Iterator[tuple[str, Tensor]]:
        """One by one, each in memory of its own: a view would hold the whole file."""
        from safetensors import safe_open

        opened: Any = safe_open  # has no types
        with opened(self.folder / step.file, "pt") as file:
            for key in file.keys():  # noqa: SIM118  (it is no dict)
                if key.startswith(kind):
                    yield key, file.get_tensor(key).clone()

    def _left_over(self) -> list[_Kept]:
        """The steps that an interrupted capture of the same left, if they are whole."""
        try:
            state = json.loads((self.folder / _STATE).read_text(encoding="utf-8"))
            steps = [_Kept(**step) for step in state["steps"]]
            files = {step.file for step in steps} | {_STATE}
            same = state["begun_as"] == self._begun_as
            # What else lies here was being written when it was interrupted.
            there = {path.name for path in self.folder.iterdir()}
            if same and files <= there and all(map(self._is_whole, steps)):
                return steps
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass
        return []

    def _is_whole(self, step: _Kept) -> bool:
        plain = Path(step.file).name == step.file
        return plain and sha256_of(self.folder / step.file) == step.sha256

    def _write_state(self) -> None:
        state = {"begun_as": self._begun_as, "steps": [asdict(step) for step in self._steps]}
        fresh = self.folder / f"{_STATE}.new"
        fresh.write_text(json.dumps(state), encoding="utf-8")
        fresh.replace(self.folder / _STATE)
