"""Which files of a run are stages, and what each becomes: a module of checks, or a walk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from token_journey.course.course import find_course
from token_journey.course.implementation import Stage
from token_journey.errors import CourseError, PackError
from token_journey.grading.chained import ChainedFolder
from token_journey.grading.judge import Judge
from token_journey.grading.session import Session
from token_journey.packs.pack import Pack, find_packs
from token_journey.player.process import Players
from token_journey.packs.whole_model import fetched, with_whole_model

SESSION = pytest.StashKey[Session]()


def timing(config: pytest.Config) -> bool:
    """Whether this run times the stages and does not grade them."""
    return bool(config.getoption("benchmark_only", False))


def session_of(config: pytest.Config) -> Session:
    """Made when the first stage file is met, so that other test runs cost nothing."""
    if SESSION not in config.stash:
        try:
            course = find_course()
            players = _players(config.getoption("isolated"))
            packs = [Pack(folder) for folder in find_packs(course.packs)]
            asked_for = [Pack(Path(folder)) for folder in config.getoption("pack")]
            packs += asked_for
            # A walk through a model that says something is worth its three seconds.
            if config.getoption("whole_model") or (config.getoption("chained") and fetched()):
                packs = with_whole_model(packs)
            config.stash[SESSION] = Session(
                course, packs, asked_for, one_thread=not timing(config), players=players
            )
        except (CourseError, PackError) as error:
            raise pytest.UsageError(str(error)) from None
    return config.stash[SESSION]


def _players(isolated: str) -> Players | None:
    return Players(strict=isolated == "strict") if isolated else None


class StageModule(pytest.Module):
    """A stage file whose tests are its check file's."""

    judge: Judge

    def _getobj(self) -> Any:
        return session_of(self.config).checks.module(f"check_{self.judge.stage.name}")

    @property
    def folder(self) -> str:
        """The graded folder, as a person would type it."""
        near = os.path.relpath(self.path.parent, self.config.invocation_params.dir)
        return str(self.path.parent) if near.startswith("..") else near


def collected(file: Path, parent: pytest.Collector) -> list[pytest.Collector]:
    """What a file that is named like a stage becomes."""
    session = session_of(parent.config)
    stage = session.course.stage_of(file)
    if stage is None:
        parent.warn(pytest.PytestCollectionWarning(_unknown_stage(file, session)))
        return []
    if parent.config.getoption("chained"):
        return _chained(file, parent, session)
    module: StageModule = StageModule.from_parent(parent, path=file)
    module.judge = session.judge(stage, file.parent)
    return [module]


def _chained(file: Path, parent: pytest.Collector, session: Session) -> list[pytest.Collector]:
    """One walk a folder: the first of its stage files, or of those asked for, stands for it."""
    stages = session.course.stages()
    found = [f for s in stages if (f := file.parent / f"{s.name}.py").is_file()]
    asked_for = [f for f in found if parent.session.isinitpath(f)]
    if file not in (asked_for or found[:1]):
        return []
    folder: ChainedFolder = ChainedFolder.from_parent(parent, path=file)
    if session.reference is None:
        raise pytest.UsageError("--chained needs the reference's stages to stand in: solutions/.")
    folder.stages, folder.packs, folder.reference = stages, session.packs, session.reference
    folder.walks = file == (asked_for or found)[0]
    return [folder]


def _unknown_stage(file: Path, session: Session) -> str:
    names = [f"{stage.name}.py" for stage in session.course.stages()]
    near = [name for name in names if name[:3] == file.name[:3]]
    return f"{file.name} is not graded: stages are called {' or '.join(near or names)}."


# -- what would steer the grader ----------------------------------------------


def refused_conftest(folder: Path) -> str | None:
    """What to say before pytest runs it: it could rewrite the verdict on the stages beside it."""
    conftest = folder / "conftest.py"
    if conftest.is_file() and holds_stages(folder):
        return f"{conftest} would run inside the grader, beside what is graded: remove it."
    return None


def refused_settings(settings: Path) -> str | None:
    """What to say of pytest's settings beside stages; a pyproject.toml need not hold any."""
    text = settings.read_text(encoding="utf-8", errors="replace")
    if not holds_stages(settings.parent):
        return None
    if settings.name == "pyproject.toml" and "[tool.pytest" not in text:
        return None
    return f"{settings} would steer the grader: remove it."


def holds_stages(folder: Path) -> bool:
    return any(Stage.of_file(file) for file in folder.glob("*.py"))
