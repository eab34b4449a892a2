"""What a run prints: which failures are told in full, and the table at the end."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from token_journey.grading.scoreboard import write_scoreboard
from token_journey.grading.verdict import Verdict, grade

# Failures that are told in full; -vv tells all.
STORIES_A_STAGE = 3
_PRINTED_LINES, _PRINTED_CHARACTERS = 20, 1_500


class Telling:
    """Decides which failures are told in full: a few a stage, each story once."""

    def __init__(self, verbose: bool):
        self._verbose = verbose
        self._told: dict[tuple[str, str], set[str]] = {}
        self._named: set[str] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        about = getattr(report, "token_journey", None)
        if about is None or about["kind"] != "failed":
            return
        told = self._told.setdefault((about["path"], about["stage"]), set())
        # Once a cause was named, a failure whose cause is not known adds no more than noise.
        named = any(subject in self._named for subject in told)
        enough = about["subject"] in told or len(told) == STORIES_A_STAGE
        enough = enough or (named and not about["named"])
        if about["named"]:
            self._named.add(about["subject"])
        about["told"] = self._verbose or not enough
        if not enough:
            told.add(about["subject"])

    def pytest_report_teststatus(
        self, report: pytest.CollectReport | pytest.TestReport
    ) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
        about = getattr(report, "token_journey", None)
        if about is None or about["kind"] == "passed":
            return None
        if about["kind"] == "absent":
            return "not on this pack", "-", ("NOT ON THIS PACK", {"yellow": True})
        if about["kind"] == "todo":
            return "to do", "·", ("TO DO", {"cyan": True})
        return None if about["told"] else ("more failed", "f", ("FAILED", {"red": True}))

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
    ) -> None:
        reports = [report for kind in terminalreporter.stats.values() for report in kind]
        told = [about for report in reports if (about := getattr(report, "token_journey", None))]
        for report in terminalreporter.stats.get("passed", []):
            if walk := getattr(report, "token_journey_walk", ""):
                terminalreporter.write_line(f"\n{walk}")
        if told:
            write_scoreboard(grade(map(_verdict, told)), terminalreporter.write_line, _pytest())
            for why, count in Counter(about["absent"] for about in told if about["absent"]).items():
                checks = "1 check is" if count == 1 else f"{count} checks are"
                terminalreporter.write_line(f"  {checks} {why}.")
        elif exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and not config.option.collectonly:
            asked = ", ".join(config.args)
            terminalreporter.write_line(
                f"Nothing to grade in {asked}: a folder of stages holds files such as "
                "s03_rms_norm.py. Try `pytest exercises/`."
            )


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


def _verdict(told: dict[str, Any]) -> Verdict:
    kept = {name: told[name] for name in ("path", "stage", "check", "kind", "subject")}
    return Verdict(**kept, mend=tuple(told["mend"]))
