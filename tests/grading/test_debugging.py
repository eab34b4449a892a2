"""Who debugs their own stage: no limit, their own frames, and no debugger in the kit."""

import subprocess
import sys

import pytest
from graded import grade

from token_journey.course.course import find_course
from token_journey.guards import time_limit

pytestmark = pytest.mark.slow

RAISES = """
def helper(x):
    inside = 21
    return x @ x


def rms_norm(x, weight, eps):
    return helper(x)
"""
ONE = ("-k", "by_hand")


@pytest.fixture
def write(tmp_path):
    def write(source):
        file = tmp_path / "s03_rms_norm.py"
        file.write_text(source)
        return file

    return write


def debugged(file, typed, *options):
    """What a debugger says when these lines are typed."""
    command = [sys.executable, "-m", "pytest", str(file), *ONE, "-p", "no:cacheprovider", *options]
    done = subprocess.run(
        command, cwd=find_course().home, input=typed, capture_output=True, text=True, timeout=300
    )
    return done.stdout + done.stderr


def test_pdb_stops_in_their_own_frame(write):
    said = debugged(write(RAISES), "p inside * 2\nup\np 'kit' in dir()\nup\nq\n", "--pdb")
    assert "(Pdb) 42" in said
    assert "s03_rms_norm.py(8)rms_norm()" in said
    assert "Oldest frame" in said
    assert "token_journey/" not in said.replace("/s03_rms_norm.py", "")


def test_pdb_stops_in_what_ran_while_imported(write):
    said = debugged(write("inside = 21\n1 / 0\n"), "p inside * 2\nq\n", "--pdb")
    assert "(Pdb) 42" in said


def test_pdb_stops_in_the_check_where_theirs_returned(write):
    said = debugged(write("def rms_norm(x, weight, eps):\n    return x\n"), "p stage\nq\n", "--pdb")
    assert "check_s03_rms_norm.py" in said and "StageUnderTest object" in said


def test_pdb_does_not_stop_where_nobody_s_code_ran(write):
    said = debugged(write("def rms_norm(x, weight, eps)\n"), "", "--pdb")
    assert "Python can't read s03_rms_norm.py:1" in said
    assert "(Pdb)" not in said


def test_a_thousand_frames_are_few_lines(write):
    source = "def rms_norm(x, weight, eps):\n    return rms_norm(x, weight, eps)\n"
    told = grade(write(source), options=(*ONE, "--tb=short")).messages[0]
    assert "Previous line repeated" in told and len(told.splitlines()) < 20


@pytest.mark.parametrize("style", ["short", "long", "native"])
def test_frames_are_shown_when_asked_for(style, write):
    file = write(RAISES)
    told = grade(file, options=(*ONE, f"--tb={style}")).messages[0]
    assert f'File "{file}", line 8, in rms_norm' in told
    assert f'File "{file}", line 4, in helper' in told
    assert "token_journey" not in told and "check_s03" not in told


@pytest.mark.parametrize("options", [(), ("--tb=auto",), ("--tb=line",)])
def test_and_else_are_not(options, write):
    told = grade(write(RAISES), options=(*ONE, *options)).messages[0]
    assert "File" not in told and "line 8" not in told


def test_frames_of_what_ran_while_imported(write):
    file = write("def make():\n    return 1 / 0\n\n\nmake()\n")
    told = grade(file, options=(*ONE, "--tb=short")).messages[0]
    assert f'File "{file}", line 5, in <module>' in told
    assert f'File "{file}", line 2, in make' in told


@pytest.mark.parametrize(
    ("option", "lifted"),
    [("--no-time-limit", True), ("--pdb", True), ("--trace", True), ("-q", False)],
)
def test_no_limit_for_who_debugs(option, lifted, write):
    seen = write("").with_name("seen.txt")
    file = write(
        "from token_journey.guards import time_limit\n"
        f"open({str(seen)!r}, 'w').write(str(time_limit._lifted))\n"
    )
    debugged(file, "c\n" * 20, option)
    assert seen.read_text() == str(lifted)


def test_the_limits_are_back_after_the_run(write):
    grade(write(RAISES), options=(*ONE, "--no-time-limit"))
    assert not time_limit._lifted
