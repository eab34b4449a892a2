"""Grade a folder in this process, as `pytest FOLDER` would; or one stage among the solutions."""

import contextlib
import io
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from token_journey.course.course import find_course


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


def one_a_stage(submissions: Iterable[Path]) -> Iterator:
    """The first of each stage; the others are for `make exam`."""
    chosen, met = [], set()
    for submission in submissions:
        (stage,) = (file.name for file in submission.glob("s*.py"))
        marks = [pytest.mark.exam] if stage in met else []
        chosen.append(pytest.param(submission, id=submission.name, marks=marks))
        met.add(stage)
    return chosen


def graded_among_solutions(submission: Path, folder: Path) -> Graded:
    """A submission is one stage file; all others are the reference's."""
    (stage,) = submission.glob("s*.py")
    for file in find_course().reference.glob("s*.py"):
        shutil.copy(stage if file.name == stage.name else file, folder / file.name)
    return grade(folder / stage.name)
