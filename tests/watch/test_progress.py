"""What is remembered between days, and what bare `token-journey` says of it."""

import json
import os
import shutil

import pytest

from token_journey.commands.main import main
from token_journey.course.course import find_course
from token_journey.course.stage import Stage
from token_journey.grading.verdict import Verdict
from token_journey.watch.progress import FILE, Progress, Stand

COURSE = find_course()
NORM = Stage("s03_rms_norm")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    assert main(["start", str(tmp_path / "kata")]) == 0
    monkeypatch.chdir(tmp_path / "kata")
    return tmp_path / "kata" / "exercises"


def verdict(check, kind, **more):
    return Verdict("exercises", NORM.name, check, kind, **more)


def test_what_is_written_is_read_again(folder):
    progress = Progress.read(folder)
    told = [
        verdict("a", "passed"),
        verdict("b", "todo"),
        verdict("c", "failed", subject="eps", named=True),
        verdict("d", "absent"),
        verdict("e", "failed", mend=("s02_embed",)),
    ]
    progress.note(NORM.name, told)
    progress.stage = NORM.name
    progress.hints = {NORM.name: {"rms_norm": 2}}
    progress.write()
    again = Progress.read(folder)
    assert again == progress
    stand = again.stands[NORM.name]
    assert (stand.passed, stand.failed, stand.todo, stand.mistake) == (1, 2, 1, "eps")
    assert stand.first == ["c", "e", "b"]
    assert again.is_judged(NORM) and not again.done(NORM)


@pytest.mark.parametrize(
    "spoiled",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        "[" * 100_000,
        '{"stage": 1, "stages": [], "hints": {}}',
        '{"stage": "", "stages": {"s03_rms_norm": {"passed": "x"}}, "hints": {}}',
        '{"stage": "", "stages": {"s03_rms_norm": {"nonsense": 1}}, "hints": {}}',
        '{"stage": "", "stages": {"s03_rms_norm": {"first": [1]}}, "hints": {}}',
        '{"stage": "", "stages": {}, "hints": {"s03_rms_norm": {"rms_norm": "x"}}}',
        "x" * (1 << 20),
    ],
)
def test_a_spoiled_file_is_no_file(folder, spoiled):
    (folder / FILE).write_text(spoiled)
    assert Progress.read(folder) == Progress(folder)
    assert main([]) == 0


def test_a_folder_in_its_place_and_one_that_can_not_be_written(folder):
    (folder / FILE).mkdir()
    progress = Progress.read(folder)
    progress.write()
    assert Progress.read(folder) == Progress(folder)


def test_it_is_no_stage_and_may_be_deleted(folder):
    progress = Progress.read(folder)
    progress.hints = {NORM.name: {"rms_norm": 1}}
    progress.write()
    (folder / FILE).unlink()
    assert Progress.read(folder).hints == {}


# -- where one stands -------------------------------------------------------------


def test_at_the_beginning(folder, capsys):
    assert main([]) == 0
    said = capsys.readouterr().out
    assert said.count("to do\n") == 10
    assert f"Next: read and write stage 1, {os.path.join('exercises', 's01_tokenize.py')}." in said
    assert "`token-journey watch`" in said


def test_in_the_middle(folder, capsys):
    progress = Progress.read(folder)
    for name in ("s01_tokenize", "s02_embed"):
        shutil.copy(COURSE.reference / f"{name}.py", folder)
        done = Stand(passed=3)
        progress.note(name, [Verdict("exercises", name, "a", "passed")])
        assert progress.stands[name].done == done.done
    shutil.copy(COURSE.reference / "s03_rms_norm.py", folder)
    progress.hints = {NORM.name: {"rms_norm": 2}}
    progress.write()
    assert main([]) == 0
    said = capsys.readouterr().out
    assert said.count("  done\n") == 2
    assert "rms_norm   begun, not judged" in said
    assert "Next: mend stage 3, " in said
    assert "Hints opened so far: 2." in said
    (folder / "s01_tokenize.py").write_text("x = 1\n")
    assert main([]) == 0
    said = capsys.readouterr().out
    assert "tokenize   changed since it was judged" in said
    assert "Next: mend stage 1, " in said


def test_at_the_end(folder, capsys):
    progress = Progress.read(folder)
    for stage in COURSE.stages():
        shutil.copy(COURSE.reference / stage.file, folder)
        progress.note(stage.name, [Verdict("exercises", stage.name, "a", "passed")])
    progress.write()
    assert main([]) == 0
    said = capsys.readouterr().out
    for after in ("All ten stages are right.", "--chained", "--impl exercises", "cost exercises"):
        assert after in said


def test_outside_of_any_kata(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([]) == 0
    assert "`token-journey start kata`" in capsys.readouterr().out


def test_the_file_is_small_and_plain(folder):
    progress = Progress.read(folder)
    progress.note(NORM.name, [verdict(f"check[{i}]", "todo") for i in range(130)])
    progress.write()
    assert (folder / FILE).stat().st_size < 10_000
    assert json.loads((folder / FILE).read_text())["stages"][NORM.name]["todo"] == 130
