"""Grade a folder in this process, as `pytest FOLDER` would."""

import contextlib
import io
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass(eq=False)
class Graded:
    """What a grading run said and decided."""

    exit_code: int = 0
    output: str = ""
    reports: list[dict] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def pytest_runtest_logreport(self, report):
        about = getattr(report, "token_journey", None)
        if about is not None:
            self.reports.append(about)
            if about["kind"] in ("failed", "missing"):
                self.messages.append(str(report.longrepr))

    def kinds(self, stage: str) -> set[str]:
        """The kinds of verdict that a stage got: passed, failed, todo, missing."""
        return {about["kind"] for about in self.reports if about["stage"] == stage}


def grade(*paths: Path | str, options: tuple[str, ...] = ()) -> Graded:
    graded = Graded()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        arguments = [*map(str, paths), "-p", "no:cacheprovider", *options]
        graded.exit_code = int(pytest.main(arguments, plugins=[graded]))
    graded.output = printed.getvalue()
    return graded
