"""A notebook's stage cells, graded as a folder of stages; nothing else of it is run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from token_journey.course.notebook_cells import stage_cells, stub_imports
from token_journey.course.stage import Stage
from token_journey.grading.collect import StageModule, session_of


class StageNotebook(pytest.File):
    """All ten stages count, whatever cells there are."""

    refusal: str | None = None

    def collect(self) -> Iterator[StageModule]:
        course = session_of(self.config).course
        stages = course.stages()
        read = stage_cells(self.path.read_bytes(), stages, stub_imports(course))
        for remark in read.remarks:
            self.warn(pytest.PytestCollectionWarning(f"{self.name}: {remark}."))
        scratch = TemporaryDirectory(prefix="token-journey-")
        self.config.add_cleanup(scratch.cleanup)
        for stage in stages:
            file = Path(scratch.name, stage.file)
            refusal = self.refusal or self._missing(stage, read.sources, read.remarks)
            if refusal is None:
                file.write_text(read.sources[stage], encoding="utf-8", newline="\n")
            yield self._module(stage, file, refusal)

    def _missing(
        self, stage: Stage, sources: dict[Stage, str], remarks: tuple[str, ...]
    ) -> str | None:
        if stage in sources:
            return None
        about = [r for r in remarks if f" of {stage.title} is left out" in r]
        why = (about or ([] if sources else list(remarks)))[-1:]
        none = f"no cell begins with `%%stage {stage.title}`: write one"
        return f"{self.name}: {(why or [none])[0]}."

    def _module(self, stage: Stage, file: Path, refusal: str | None) -> StageModule:
        module: StageModule = StageModule.from_parent(
            self, path=file, name=stage.title, nodeid=f"{self.nodeid}::{stage.title}"
        )
        # What is refused lies in no folder of the others': its refusal is not theirs.
        folder = file.parent if refusal is None else file.parent / stage.title
        module.judge = session_of(self.config).judge(stage, folder, refusal)
        module.stands_for = self.path
        return module
