"""A learner's folder: made whole or not at all, and never where it would be in the way."""

from __future__ import annotations

from dataclasses import replace

import pytest
from graded import grade

from token_journey.commands.main import main
from token_journey.course.course import find_course
from token_journey.course.stubs import is_written

COURSE = find_course()


def refused(capsys, *arguments) -> str:
    assert main([*map(str, arguments)]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    return said.err


def test_ten_stubs_and_a_page_of_what_to_type(tmp_path, capsys):
    assert main(["start", str(tmp_path / "new" / "kata")]) == 0
    kata = tmp_path / "new" / "kata"
    for stage in COURSE.stages():
        assert not is_written((kata / "exercises" / stage.file).read_text(encoding="utf-8"))
    assert "token-journey reset" in (kata / "README.md").read_text(encoding="utf-8")
    page = kata / "docs" / COURSE.torch_page.name
    assert page.read_bytes() == COURSE.torch_page.read_bytes()
    assert f"`cd {kata}`" in capsys.readouterr().out


def test_an_empty_folder_that_one_stands_in(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["start", "."]) == 0
    assert (tmp_path / "exercises" / "s01_tokenize.py").is_file()
    assert "cd " not in capsys.readouterr().out


def test_a_folder_that_holds_something(tmp_path, capsys):
    (tmp_path / "mine").touch()
    assert f"{tmp_path} is not empty: name a folder" in refused(capsys, "start", tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]


def test_a_file(tmp_path, capsys):
    (tmp_path / "mine").touch()
    assert "mine is a file: name a folder" in refused(capsys, "start", tmp_path / "mine")


def test_a_folder_that_cannot_be_made(tmp_path, capsys):
    """Below a file, for root may write wherever a folder is."""
    (tmp_path / "mine").touch()
    said = refused(capsys, "start", tmp_path / "mine" / "kata")
    assert "can't be written" in said and "name a folder of your own." in said


@pytest.mark.parametrize("where", ["", "exercises", "below/it"])
def test_inside_another_kata(tmp_path, capsys, where):
    main(["start", str(tmp_path / "kata")])
    capsys.readouterr()
    said = refused(capsys, "start", tmp_path / "kata" / where / "new")
    assert "lies inside the kata" in said and "name a folder outside it." in said
    assert "holds a kata already" in refused(capsys, "start", tmp_path / "kata")


def test_inside_a_clone(capsys):
    assert "lies inside the kata" in refused(capsys, "start", COURSE.home / "new")
    assert not (COURSE.home / "new").exists()


@pytest.mark.parametrize("command", ["reset", "solution"])
def test_a_folder_without_stages(tmp_path, capsys, command):
    said = refused(capsys, command, "3", tmp_path)
    assert f"There are no stages in {tmp_path}: name a folder that has some" in said


@pytest.mark.parametrize("command", ["reset", "solution"])
def test_a_stage_that_is_none(tmp_path, capsys, command):
    main(["start", str(tmp_path / "kata")])
    capsys.readouterr()
    said = refused(capsys, command, "11", tmp_path / "kata")
    assert said == "token-journey: There is no stage 11: give a number from 1 to 10.\n"


def test_reset_in_a_kata_that_was_emptied(tmp_path, capsys):
    main(["start", str(tmp_path / "kata")])
    (tmp_path / "kata" / "exercises" / "s03_rms_norm.py").unlink()
    assert main(["reset", "3", str(tmp_path / "kata")]) == 0
    assert (tmp_path / "kata" / "exercises" / "s03_rms_norm.py").is_file()


def test_the_reference_is_never_reset(capsys):
    before = (COURSE.reference / "s03_rms_norm.py").read_bytes()
    assert "is the reference" in refused(capsys, "reset", "3", COURSE.reference)
    assert (COURSE.reference / "s03_rms_norm.py").read_bytes() == before


def test_a_course_without_a_reference_says_what_is_not_there(tmp_path, monkeypatch):
    course = replace(COURSE, reference=tmp_path / "solutions")
    for module in ("collect", "terminal"):
        monkeypatch.setattr(f"token_journey.grading.{module}.find_course", lambda: course)
    graded = grade(COURSE.reference / "s08_lm_head.py")
    assert graded.exit_code == 0
    assert graded.output.count(f"There is no {course.reference}: no mistake is called") == 1
