"""A stage that never ends is waited for once, and not again by each stage that builds on it."""

from __future__ import annotations

import shutil
import sys

import pytest

from token_journey.course.course import find_course
from token_journey.grading.judge import Judge
from token_journey.grading.run import Grader
from token_journey.guards.time_limit import OutOfTime

pytestmark = pytest.mark.slow

RIGHT = find_course().reference
S03 = "s03_rms_norm"
ENDLESS = "def rms_norm(x, weight, eps):\n    while True:\n        pass\n"
ENDLESS_AT_IMPORT = "while True:\n    pass\n"
DIES = "import os\n\n\ndef rms_norm(x, weight, eps):\n    os.kill(os.getpid(), 11)\n"
LIMIT = 1.5
players = pytest.param(True, marks=pytest.mark.skipif(sys.platform != "linux", reason="no players"))


@pytest.fixture
def ran_out(monkeypatch):
    """Whose time was over, and how many seconds of computing it had."""
    found = []
    attempt = Judge._error

    def noting(self, check, stage, seconds):
        error = attempt(self, check, stage, seconds)
        if isinstance(error, OutOfTime):
            found.append((self.stage.name, seconds))
        return error

    monkeypatch.setattr(Judge, "_error", noting)
    monkeypatch.setattr("token_journey.grading.plugin.SECONDS_A_CHECK", LIMIT)
    return found


def ten_stages(folder, s03):
    shutil.copytree(RIGHT, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / f"{S03}.py").write_text(s03, encoding="utf-8")
    return folder


def by_stage(grade, folder):
    found = {}
    for verdict in grade.verdicts:
        if verdict.path == str(folder):
            found.setdefault(verdict.stage, []).append(verdict)
    return found


@pytest.mark.parametrize("isolated", [False, players])
@pytest.mark.parametrize(
    "s03",
    [
        pytest.param(ENDLESS, id="in a call", marks=pytest.mark.exam),
        pytest.param(ENDLESS_AT_IMPORT, id="at import"),
    ],
)
def test_it_is_waited_for_once(s03, isolated, ran_out, tmp_path):
    folder = ten_stages(tmp_path / "endless", s03)
    with Grader(isolated) as grader:
        found = by_stage(grader.grade(folder), folder)
    assert {stage for stage, seconds in ran_out if seconds >= LIMIT} <= {S03}
    assert sum(seconds for _, seconds in ran_out) <= 2 * LIMIT + 1.0 * len(found)
    assert {v.kind for v in found[S03]} == {"failed"}
    for stage in ("s07_decoder", "s08_lm_head"):  # right in themselves, and say what to mend
        assert {v.kind for v in found[stage]} == {"passed"}
        assert {v.mend for v in found[stage] if v.mend} == {(S03,)}
    assert {(v.kind, v.mend) for v in found["s06_swiglu"]} == {("passed", ())}


@pytest.mark.skipif(sys.platform != "linux", reason="no players")
def test_three_folders_of_which_one_dies_and_one_never_ends(ran_out, tmp_path):
    dies, endless = ten_stages(tmp_path / "a", DIES), ten_stages(tmp_path / "b", ENDLESS)
    right = ten_stages(tmp_path / "c", (RIGHT / f"{S03}.py").read_text("utf-8"))
    with Grader(isolated=True) as grader:
        grade = grader.grade([dies, endless, right])
    assert sum(seconds for _, seconds in ran_out) <= 2 * LIMIT + 10
    assert [len(by_stage(grade, folder)) for folder in (dies, endless, right)] == [10, 10, 10]
    assert {v.kind for verdicts in by_stage(grade, right).values() for v in verdicts} == {"passed"}
    assert any("SIGSEGV" in v.message for v in by_stage(grade, dies)[S03])
