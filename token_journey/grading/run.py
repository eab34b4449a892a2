"""One grading run as a call: paths in, verdicts out, and no terminal."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from token_journey.course.course import find_course
from token_journey.errors import UserError
from token_journey.grading.collect import GIVEN, Given
from token_journey.grading.session import packs_of
from token_journey.grading.verdict import Grade, Verdict
from token_journey.packs.pack import Pack
from token_journey.player.process import Players

Heard = Callable[[Verdict], object]


def grade(
    paths: str | Path | Iterable[str | Path],
    packs: Sequence[Pack] = (),
    *,
    heard: Heard | None = None,
    isolated: bool = False,
) -> Grade:
    """Grade folders of stages, or single stage files, as `pytest PATHS` does.

    packs: to judge by beside the course's own, as `--pack`
    heard: called with each verdict when it is known

    The learner's code runs in this process or, `isolated`, in others that can't reach it.
    Raises UserError for what can't be graded.
    """
    with Grader(isolated) as grader:
        return grader.grade(paths, packs, heard=heard)


class Grader:
    """Grades again and again by packs that stay open. Raises UserError for a damaged one.

    isolated: run every stage in a player; `close` ends what they are forked from.
    """

    def __init__(self, isolated: bool = False) -> None:
        self._players = Players() if isolated else None
        self.packs = packs_of(find_course())

    def grade(
        self,
        paths: str | Path | Iterable[str | Path],
        packs: Sequence[Pack] = (),
        *,
        heard: Heard | None = None,
        options: Sequence[str] = (),
        plugins: Sequence[object] = (),
    ) -> Grade:
        """options: more of pytest's, such as `-k`; plugins: of pytest's, for this run"""
        asked = [paths] if isinstance(paths, str | Path) else list(paths)
        listener = _Listener(Given(self.packs, packs, self._players), heard)
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said), _without_own_settings():
            arguments = [*_OPTIONS, *options, *map(str, asked)]
            code = pytest.main(arguments, plugins=[listener, *plugins])
        if listener.interrupted:
            raise KeyboardInterrupt
        if not listener.verdicts and code != pytest.ExitCode.OK:
            where = ", ".join(map(str, asked))
            raise UserError(listener.refused or _refusal(said) or f"No stages lie in {where}.")
        return Grade(tuple(listener.verdicts))

    @property
    def open(self) -> tuple[str, ...]:
        """What of the players' jail does not hold on this machine."""
        return self._players.open if self._players else ()

    def close(self) -> None:
        if self._players:
            self._players.close()

    def __enter__(self) -> Grader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_SETTINGS = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")
# Nothing of the caller's own pytest settings may change a verdict, and nothing is left behind.
_OPTIONS = (
    *("-p", "token_journey.pytest_plugin", "-p", "no:cacheprovider", "-p", "no:logging"),
    *("-c", os.devnull, "--rootdir", os.sep),
)


@contextmanager
def _without_own_settings() -> Iterator[None]:
    kept = {name: os.environ.pop(name) for name in _SETTINGS if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


class _Listener:
    """Hands packs to a run, and keeps what it says."""

    def __init__(self, given: Given, heard: Heard | None):
        self._given = given
        self._heard = heard
        self.verdicts: list[Verdict] = []
        self.refused = ""
        self.interrupted = False

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[GIVEN] = self._given

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        about = getattr(report, "token_journey", None)
        if about is not None:
            self.verdicts.append(Verdict.from_json(about))
            if self._heard:
                self._heard(self.verdicts[-1])

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.refused = str(report.longrepr).splitlines()[-1]

    def pytest_keyboard_interrupt(self) -> None:
        self.interrupted = True


def _refusal(printed: io.StringIO) -> str:
    """pytest's own sentence about what it was asked for."""
    lines = printed.getvalue().splitlines()
    said = next((s.removeprefix("ERROR: ") for s in lines if s.startswith("ERROR: ")), "")
    return f"{said.rstrip('.')}." if said else ""
