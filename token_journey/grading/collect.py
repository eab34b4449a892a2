"""Which files of a run are stages, and what each becomes: a module of checks, or a walk."""

from __future__ import annotations

import os
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from token_journey.course.course import Course, find_course
from token_journey.course.stage import Stage
from token_journey.errors import CourseError, IsolationError, PackError
from token_journey.grading.chained import ChainedFolder
from token_journey.grading.judge import Judge
from token_journey.grading.session import Session, packs_of
from token_journey.packs.pack import Pack
from token_journey.packs.whole_model import fetched, with_whole_model
from token_journey.player.process import Players

SESSION = pytest.StashKey[Session]()


@dataclass(frozen=True)
class Given:
    """What was opened by whoever calls for a grade, and stays open: packs, and maybe players."""

    course: Sequence[Pack]
    asked_for: Sequence[Pack] = ()
    players: Players | None = None


GIVEN = pytest.StashKey[Given]()


def timing(config: pytest.Config) -> bool:
    """Whether this run times the stages and does not grade them."""
    return bool(config.getoption("benchmark_only", False))


def session_of(config: pytest.Config) -> Session:
    """Made when the first stage file is met, so that other test runs cost nothing."""
    if SESSION not in config.stash:
        try:
            course = find_course()
            given = config.stash.get(GIVEN, None) or _opened(course, config)
            packs = [*given.course, *given.asked_for]
            # A walk through a model that says something is worth its three seconds.
            if config.getoption("whole_model") or (config.getoption("chained") and fetched()):
                packs = with_whole_model(packs)
            config.stash[SESSION] = Session(
                course, packs, given.asked_for, one_thread=not timing(config), players=given.players
            )
        except (CourseError, IsolationError, PackError) as error:
            raise pytest.UsageError(str(error)) from None
    return config.stash[SESSION]


def _opened(course: Course, config: pytest.Config) -> Given:
    # Players first: what they are forked from must not hold a pack.
    players = _players(config) if config.getoption("isolated") else None
    asked_for = [Pack(Path(folder)) for folder in config.getoption("pack")]
    return Given(packs_of(course), asked_for, players)


def _players(config: pytest.Config) -> Players:
    if config.getoption("chained") or timing(config):
        raise pytest.UsageError(
            "--isolated is for checks: leave out --chained and --benchmark-only, or --isolated."
        )
    strict = config.getoption("isolated") == "strict"
    players = Players(strict, fork=not Session.made)
    config.add_cleanup(players.close)
    if terminal := config.pluginmanager.get_plugin("terminalreporter"):
        terminal.ensure_newline()
        terminal.write_line(players.holds)
    return players


class StageModule(pytest.Module):
    """A stage's place in a folder, whose tests are its check file's."""

    judge: Judge
    stands_for: Path | None = None  # the notebook that it comes from, if it does

    def _getobj(self) -> Any:
        return session_of(self.config).checks.module(f"check_{self.judge.stage.name}")

    @property
    def folder(self) -> str:
        """The graded folder, as a person would type it."""
        graded = self.stands_for or self.path.parent
        near = os.path.relpath(graded, self.config.invocation_params.dir)
        return str(graded) if near.startswith("..") else near


class StageFolder(pytest.Directory):
    """A folder of stages: all ten count, whatever lies in it."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        here = set()
        for entry in sorted(self.path.iterdir()):
            for node in self._of(entry):
                if isinstance(node, StageModule):
                    here.add(node.path)
                yield node
        if not self.config.getoption("chained"):
            yield from _not_there(self, here)

    def _of(self, entry: Path) -> Sequence[pytest.Collector]:
        """As pytest collects what lies in an ordinary folder."""
        asked_for = self.session.isinitpath(entry, with_parents=entry.is_dir())
        ignored = self.ihook.pytest_ignore_collect(collection_path=entry, config=self.config)
        if ignored and not asked_for:
            return ()
        if entry.is_dir():
            below = self.ihook.pytest_collect_directory(path=entry, parent=self)
            return () if below is None else (below,)
        if not entry.is_file():
            return ()
        found: list[pytest.Collector] = self.ihook.pytest_collect_file(file_path=entry, parent=self)
        return [node for nodes in found for node in (nodes if isinstance(nodes, list) else [nodes])]


class RefusedFolder(pytest.Collector):
    """A folder with something in it that would steer the grader: nothing of it is run."""

    refusal: str

    def collect(self) -> Iterator[StageModule]:
        return _not_there(self, set(), self.refusal)


def folder(path: Path, parent: pytest.Collector, refusal: str | None) -> pytest.Collector:
    """What a folder of stages becomes."""
    if refusal is None:
        found: StageFolder = StageFolder.from_parent(parent, path=path)
        return found
    refused: RefusedFolder = RefusedFolder.from_parent(parent, path=path, name=path.name)
    refused.refusal = refusal
    return refused


def _not_there(
    parent: pytest.Collector, here: Container[Path], refusal: str | None = None
) -> Iterator[StageModule]:
    """A module for each stage that no file stands for; its checks say why."""
    for stage in session_of(parent.config).course.stages():
        file = parent.path / stage.file
        if file not in here:
            yield _module(file, stage, parent, refusal)


def _module(
    file: Path, stage: Stage, parent: pytest.Collector, refusal: str | None = None
) -> StageModule:
    module: StageModule = StageModule.from_parent(parent, path=file)
    module.judge = session_of(parent.config).judge(stage, file.parent, refusal)
    return module


def collected(file: Path, parent: pytest.Collector) -> list[pytest.Collector]:
    """What a file that is named like a stage becomes."""
    session = session_of(parent.config)
    stage = session.course.stage_of(file)
    if stage is None:
        parent.warn(pytest.PytestCollectionWarning(_unknown_stage(file, session)))
        return []
    if parent.config.getoption("chained"):
        return _chained(file, parent, session)
    return [_module(file, stage, parent)]


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
