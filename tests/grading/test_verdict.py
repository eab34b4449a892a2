"""A grade is data: as a call, as JSON lines, and from several processes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

import token_journey
from token_journey.course.course import find_course
from token_journey.errors import UserError
from token_journey.grading.verdict import Grade, Verdict
from token_journey.packs.pack import Pack

COURSE = find_course()


@pytest.fixture
def wrong(tmp_path):
    folder = shutil.copytree(COURSE.reference, tmp_path / "maria")
    (folder / "s03_rms_norm.py").write_text("def rms_norm(x, weight, eps):\n    return x\n")
    (folder / "s02_embed.py").unlink()
    return folder


def test_a_grade_is_a_call(wrong, capfd):
    heard = []
    grade = token_journey.grade(wrong, heard=heard.append)
    assert capfd.readouterr() == ("", "")
    assert heard == list(grade.verdicts)
    rows = {row.stage: row for row in grade.stages}
    assert len(rows) == 10 and not grade.done
    assert rows["s02_embed"].missing == rows["s02_embed"].total > 20
    assert rows["s03_rms_norm"].failed and rows["s04_rope"].done


def test_packs_that_are_handed_in_judge_too(wrong, tmp_path):
    mine = shutil.copytree(COURSE.packs / "witness-mqa", tmp_path / "mine")
    pack = Pack(mine)
    pack.name = "mine"
    file = wrong / "s04_rope.py"
    more = len(token_journey.grade(file, [pack]).verdicts) - len(token_journey.grade(file).verdicts)
    assert more > 0
    assert pack.prompts, "and stay open"
    assert token_journey.grade(file, [pack]).done


def test_verdicts_survive_json(wrong):
    grade = token_journey.grade(wrong)
    there = json.loads(json.dumps([verdict.to_json() for verdict in grade.verdicts]))
    assert tuple(map(Verdict.from_json, there)) == grade.verdicts


@pytest.mark.parametrize("data", [{}, {"path": "a"}, {"kind": "top", "more": 1}])
def test_what_is_no_verdict_is_said(data):
    with pytest.raises(UserError, match="not a verdict"):
        Verdict.from_json(data)


@pytest.mark.parametrize("path", ["nowhere", "empty"])
def test_nothing_to_grade_is_one_sentence(path, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError) as raised:
        token_journey.grade(tmp_path / path)
    assert "\n" not in str(raised.value)


def test_an_own_setting_of_the_caller_changes_nothing(wrong, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k nothing --collect-only")
    monkeypatch.chdir(wrong)
    (wrong.parent / "pytest.ini").write_text("[pytest]\naddopts = --collect-only\n")
    assert len(token_journey.grade(wrong).stages) == 10


def lines_of(file):
    return [Verdict.from_json(json.loads(line)) for line in file.read_text().splitlines()]


@pytest.mark.parametrize("options", [pytest.param((), marks=pytest.mark.exam), ("-n", "2")])
def test_a_run_writes_what_it_found(options, wrong, tmp_path):
    file = tmp_path / "grade.jsonl"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", wrong, "--grade-json", file, "-q", *options],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    written = Grade(tuple(lines_of(file)))
    assert {(v.stage, v.check, v.kind) for v in written.verdicts} == {
        (v.stage, v.check, v.kind) for v in token_journey.grade(wrong).verdicts
    }
    assert "10  generate" in done.stdout, "the table is printed, whoever graded"


def test_a_run_that_is_killed_leaves_what_it_had(wrong, tmp_path):
    file = tmp_path / "grade.jsonl"
    (wrong / "s10_generate.py").write_text("import time\ntime.sleep(600)\n")
    run = subprocess.Popen(
        [sys.executable, "-m", "pytest", wrong, "--grade-json", file],
        stdout=subprocess.DEVNULL,
    )
    while not (file.is_file() and "s09_softmax" in file.read_text()):
        assert run.poll() is None
        time.sleep(0.1)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    assert {verdict.stage for verdict in lines_of(file)} >= {"s01_tokenize", "s09_softmax"}


def test_a_file_that_can_not_be_written_is_said_first(wrong, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", wrong, "--grade-json", tmp_path / "no" / "where"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "can't be written: No such file or directory." in done.stderr
