"""What a run prints: which failures are told in full, and the table at the end."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Collection, Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from token_journey.course.course import Course, find_course
from token_journey.course.kata import of_another_course
from token_journey.grading.scoreboard import write_scoreboard
from token_journey.grading.stories import functions, to_tell
from token_journey.grading.verdict import Grade, Verdict
from token_journey.words import table as words

_PRINTED_LINES, _PRINTED_CHARACTERS = 20, 1_500


class Telling:
    """Decides which failures are told in full: a few a stage, each story once."""

    def __init__(self, verbose: bool, last: bool):
        """last: whether the table comes after all that pytest says"""
        self._verbose = verbose
        self._last = last
        self._verdicts: dict[str, Verdict] = {}
        self._left: dict[str, list[str]] = {}  # by file, what can't be put back

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        about = getattr(report, "token_journey", None)
        if about is None:
            return
        verdict = self._verdicts[report.nodeid] = Verdict.from_json(about)
        if left := report.__dict__.get("token_journey_left"):
            self._left[f"{verdict.path}/{verdict.stage}.py"] = left

    def pytest_report_teststatus(
        self, report: pytest.CollectReport | pytest.TestReport
    ) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
        if not hasattr(report, "token_journey"):
            return None
        verdict = self._verdicts[report.nodeid]
        if verdict.kind == "passed":
            return None
        if verdict.kind == "absent":
            return "not on this pack", "-", ("NOT ON THIS PACK", {"yellow": True})
        if verdict.kind == "todo":
            return "to do", "·", ("TO DO", {"cyan": True})
        return None

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        write = terminalreporter.write_line
        for report in terminalreporter.stats.get("passed", []):
            if walk := getattr(report, "token_journey_walk", ""):
                write(f"\n{walk}")
        if not self._last:
            self._write_table(terminalreporter)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if not self._verbose and isinstance(reporter, pytest.TerminalReporter):
            self._choose(reporter.stats)
        yield
        if self._last and isinstance(reporter, pytest.TerminalReporter):
            self._write_table(reporter)

    def _choose(self, stats: dict[str, list[Any]]) -> None:
        """Leave those to be told among what failed, in the order in which they are told."""
        failed = stats.get("failed", [])
        ours = {r.nodeid: r for r in failed if hasattr(r, "token_journey")}
        told = to_tell({nodeid: self._verdicts[nodeid] for nodeid in ours}, functions())
        more = [report for nodeid, report in ours.items() if nodeid not in told]
        if more:
            others = [report for report in failed if report.nodeid not in ours]
            stats["failed"] = [*(ours[nodeid] for nodeid in told), *others]
            stats["more failed"] = more

    def _write_table(self, reporter: pytest.TerminalReporter) -> None:
        write = reporter.write_line
        if self._verdicts:
            verdicts = tuple(self._verdicts.values())
            course = [] if reporter.stats.get("deselected") else find_course().stages()
            write_scoreboard(Grade(verdicts).stages, write, _pytest(), course)
            for why, count in Counter(v.absent for v in verdicts if v.absent).items():
                write(f"  {words.absent(count, why)}")
            paths = {verdict.path for verdict in verdicts}
            for sentence in (*_about(paths, find_course()), *self._of_others(paths)):
                write(f"  {sentence}")

    def _of_others(self, paths: Collection[str]) -> Iterator[str]:
        """Which of several folders may not have been judged as if it were alone."""
        for file, left in self._left.items() if len(paths) > 1 else ():
            yield words.leaves_behind(file, left)


def _about(paths: Iterable[str], course: Course) -> Iterator[str]:
    """What else has to be known to read a table."""
    if not course.reference.is_dir():
        yield words.no_reference(str(course.reference))
    for path in sorted(paths):
        if sentence := of_another_course(Path(path), course):
            yield sentence


def cut(printed: str) -> str:
    """The start of what a learner's code printed."""
    lines = printed.splitlines()
    kept = "\n".join(lines[:_PRINTED_LINES])[:_PRINTED_CHARACTERS]
    return kept if kept == printed.rstrip("\n") else f"{kept}\n… (cut)\n"


def _pytest() -> str:
    """What to type to run this pytest: its path, where the environment is not activated."""
    here = Path(sys.executable).parent / "pytest"
    found = shutil.which("pytest")
    if found is None or not here.exists() or not os.path.samefile(found, here):
        near = os.path.relpath(here)
        return str(here) if near.startswith("..") else near
    return "pytest"
