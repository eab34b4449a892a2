"""Every named mistake fails its stage; every right way to write it passes.

Each rewrite becomes a folder with one stage file, graded as a learner's would
be: `pytest FOLDER`.
"""

import ast
from pathlib import Path

import pytest

from token_journey.course import find_course
from token_journey.implementation import Implementation
from token_journey.misconceptions import Rewrite, rewrites_in

COURSE = find_course()
STAGES = [stage.name for stage in COURSE.stages()]


class Grades:
    """A pytest plugin that keeps each folder's failures."""

    def __init__(self):
        self.failed: dict[str, list[str]] = {}

    def pytest_runtest_logreport(self, report):
        about = getattr(report, "token_journey", None)
        if about is None:
            return
        failures = self.failed.setdefault(Path(about["path"]).name, [])
        if about["kind"] != "passed":
            failures.append(f"{about['check']}: {report.longrepr}")


def grade_rewrites(stage: str, rewrites: list[Rewrite], tmp_path: Path) -> dict[str, list[str]]:
    """The failures of each rewrite, by its number in the list."""
    solution = (COURSE.reference / f"{stage}.py").read_text(encoding="utf-8")
    for number, change in enumerate(rewrites):
        folder = tmp_path / f"{number:02}"
        folder.mkdir()
        (folder / f"{stage}.py").write_text(f"{solution}\n\n{change.source}", encoding="utf-8")
    grades = Grades()
    pytest.main(
        [str(tmp_path), "-q", "--tb=no", "-rN", "-p", "no:cacheprovider"],
        plugins=[grades],
    )
    return grades.failed


def rewrites(folder: Path, stage: str) -> list[Rewrite]:
    return rewrites_in(Implementation(folder).module(stage))


@pytest.mark.parametrize("stage", STAGES)
def test_every_misconception_fails(stage, tmp_path):
    mistakes = rewrites(COURSE.checks / "misconceptions", stage)
    failed = grade_rewrites(stage, mistakes, tmp_path)
    let_through = [m.name for n, m in enumerate(mistakes) if not failed[f"{n:02}"]]
    assert not let_through


@pytest.mark.parametrize("stage", STAGES)
def test_every_right_variant_passes(stage, tmp_path):
    variants = rewrites(Path(__file__).parent / "variants", stage)
    failed = grade_rewrites(stage, variants, tmp_path)
    refused = {v.name: failed[f"{n:02}"] for n, v in enumerate(variants) if failed[f"{n:02}"]}
    assert not refused


@pytest.mark.parametrize("stage", STAGES)
def test_misconceptions_are_told_apart(stage):
    mistakes = rewrites(COURSE.checks / "misconceptions", stage)
    names = [m.name for m in mistakes]
    assert len(names) == len(set(names))
    for mistake in mistakes:
        ast.parse(mistake.source)
        assert mistake.does and mistake.read
