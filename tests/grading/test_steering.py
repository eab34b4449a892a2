"""What lies with stages and would steer the grader is refused before any of it runs."""

import shutil
import subprocess
import sys

import pytest
from graded import grade

from token_journey.course.course import find_course
from token_journey.grading.steering import refusals

COURSE = find_course()
RUNS = "import pathlib; pathlib.Path({!r}).write_text('it ran')\n"


@pytest.fixture
def solved(tmp_path):
    return shutil.copytree(COURSE.reference, tmp_path / "class" / "maria")


def pytest_on(*paths):
    return subprocess.run(
        [sys.executable, "-m", "pytest", *map(str, paths), "-q"],
        cwd=COURSE.home,
        capture_output=True,
        text=True,
    )


STEERING = {
    "conftest.py": None,
    "below/conftest.py": None,
    "below/deep/conftest.py": None,
    "test_mine.py": None,
    "mine_test.py": None,
    "tests/test_mine.py": None,
    "pytest.ini": "[pytest]\naddopts = --collect-only\n",
    ".pytest.ini": "[pytest]\n",
    "pytest.toml": "[pytest]\n",
    "pyproject.toml": "[tool.pytest.ini_options]\n",
    "tox.ini": "[pytest]\n",
    "setup.cfg": "[tool:pytest]\n",
}


@pytest.mark.parametrize("name", STEERING)
@pytest.mark.parametrize("given", ["folder", "file"])
def test_what_lies_with_stages_is_refused_before_it_runs(name, given, solved, tmp_path):
    if given == "file" and "/" in name:
        pytest.skip("of a file only what lies beside it is met")
    ran = tmp_path / "ran"
    file = solved / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(STEERING[name] or RUNS.format(str(ran)))
    done = pytest_on(solved if given == "folder" else solved / "s03_rms_norm.py")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    would = "steer" if STEERING[name] else "run inside"
    assert f"{file} would {would} the grader" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not ran.exists()


@pytest.mark.parametrize("name", ["conftest.py", "test_mine.py", "below/conftest.py"])
def test_one_of_several_folders_is_refused_alone(name, solved, tmp_path):
    shutil.copytree(COURSE.reference, solved.parent / "joan")
    ran = tmp_path / "ran"
    (solved / name).parent.mkdir(exist_ok=True)
    (solved / name).write_text(RUNS.format(str(ran)))
    graded = grade(solved.parent)
    kinds = {
        who: {about["kind"] for about in graded.reports if about["path"].endswith(who)}
        for who in ("maria", "joan")
    }
    assert kinds == {"maria": {"missing"}, "joan": {"passed"}}
    assert "would run inside the grader" in graded.messages[0]
    assert not ran.exists()


@pytest.mark.parametrize("place", ["conftest.py", "group/conftest.py"])
def test_what_lies_above_within_what_is_graded_is_refused(place, solved, tmp_path):
    ran = tmp_path / "ran"
    shutil.move(solved, solved.parent / "group" / "maria")
    (solved.parent / place).write_text(RUNS.format(str(ran)))
    done = pytest_on(solved.parent)
    assert done.returncode != 0
    assert "would run inside the grader" in done.stdout + done.stderr
    assert not ran.exists()


def test_a_folder_that_pytest_reads_first_is_no_way_in(solved, tmp_path):
    """pytest runs the conftest.py of every `test*` folder below a path before it collects."""
    ran = tmp_path / "ran"
    shutil.move(solved, solved.parent / "test_maria")
    (solved.parent / "test_maria" / "conftest.py").write_text(RUNS.format(str(ran)))
    assert pytest_on(solved.parent).returncode == pytest.ExitCode.USAGE_ERROR
    assert not ran.exists()


def test_what_lies_above_what_is_graded_is_the_graders_own(solved):
    (solved.parent / "pytest.ini").write_text("[pytest]\n")
    (solved.parent / "conftest.py").write_text("")
    assert pytest_on(solved).returncode == 0


@pytest.mark.parametrize("given", ["s03_rms_norm.py", "nowhere.py"])
def test_what_lies_below_a_file_s_folder_is_not_looked_through(given, solved):
    """It may be somebody's home, or the root of all."""
    found = refusals(solved / given, (), COURSE)
    assert found == {}
    (solved / "below").mkdir()
    (solved / "below" / "conftest.py").write_text("")
    assert refusals(solved / given, (), COURSE) == {}
    assert refusals(solved, (), COURSE) == {solved: solved / "below" / "conftest.py"}


def test_settings_of_other_tools_and_helpers_do_no_harm(solved):
    (solved / "pyproject.toml").write_text("[project]\nname = 'mine'\n")
    (solved / "tox.ini").write_text("[flake8]\n")
    (solved / "helpers.py").write_text("")
    (solved / "__init__.py").write_text("raise SystemExit\n")
    assert pytest_on(solved).returncode == 0
