"""All ten stages of a folder count, whatever lies in a stage's place."""

import os
import shutil

import pytest
from graded import grade

from token_journey.course.course import find_course
from token_journey.course.stage import Stage, holds_stages, not_there

COURSE = find_course()
NAME = "s03_rms_norm.py"


@pytest.fixture
def solved(tmp_path):
    return shutil.copytree(COURSE.reference, tmp_path / "maria")


def a_folder(file):
    file.mkdir()


def a_dangling_link(file):
    file.symlink_to(file.with_name("nowhere.py"))


def a_circle(file):
    file.symlink_to(file)


def a_fifo(file):
    os.mkfifo(file)


def nothing(file):
    pass


def named(name):
    return lambda file: shutil.copy(COURSE.reference / NAME, file.with_name(name))


IN_ITS_PLACE = {
    "missing": (nothing, "s03_rms_norm.py is not here: put it in this folder"),
    "folder": (a_folder, "s03_rms_norm.py is a folder: put the file s03_rms_norm.py itself there."),
    "dangling link": (a_dangling_link, "is a link to a file that is not there"),
    "circle": (a_circle, "is a link to a file that is not there"),
    "fifo": (a_fifo, "s03_rms_norm.py is not an ordinary file"),
    "copy": (named("s03_rms_norm (1).py"), "'s03_rms_norm (1).py' is: rename it to s03_rms_norm"),
    "upper case": (named("S03_RMS_Norm.py"), "'S03_RMS_Norm.py' is: rename it"),
    "space": (named("s03_rms norm.py"), "'s03_rms norm.py' is: rename it"),
    "dash": (named("s03-rms-norm.py"), "'s03-rms-norm.py' is: rename it"),
    "text": (named("s03_rms_norm.py.txt"), "'s03_rms_norm.py.txt' is: rename it"),
    "final": (named("s03_rms_norm_final.py"), "'s03_rms_norm_final.py' is: rename it"),
    "other name": (named("s03_rmsnorm.py"), "'s03_rmsnorm.py' is: rename it"),
    "one digit": (named("s3_rms_norm.py"), "'s3_rms_norm.py' is: rename it"),
}


@pytest.mark.parametrize("case", IN_ITS_PLACE)
def test_what_is_not_there_is_a_row_that_says_so(case, solved):
    there, sentence = IN_ITS_PLACE[case]
    (solved / NAME).unlink()
    there(solved / NAME)
    graded = grade(solved)
    assert graded.exit_code == 1
    assert graded.kinds("s03_rms_norm") == {"missing"}
    assert sentence in " ".join(graded.messages[0].split())
    assert "3  rms_norm   ░░░░░░░░░░░░░░░░░░░░░░░░      0/35  not here" in graded.output
    assert "All that was asked for is right" not in graded.output
    others = {about["kind"] for about in graded.reports if about["stage"] != "s03_rms_norm"}
    assert others == {"passed"}, "what builds on it is judged with the reference's"


def test_an_unreadable_file_is_said(monkeypatch, tmp_path):
    (tmp_path / NAME).write_text("")
    monkeypatch.setattr("pathlib.Path.open", _refuses)
    assert "can't be read (Permission denied)" in not_there(tmp_path, Stage("s03_rms_norm"))


def _refuses(*_):
    raise PermissionError(13, "Permission denied")


def test_one_stage_of_ten_is_not_all(tmp_path):
    shutil.copy(COURSE.reference / NAME, tmp_path)
    graded = grade(tmp_path)
    assert graded.exit_code == 1
    assert len({about["stage"] for about in graded.reports}) == 10
    assert "35 of 644 checks hold." in graded.output


def test_a_file_that_is_asked_for_is_all_that_is_asked_for(tmp_path):
    shutil.copy(COURSE.reference / NAME, tmp_path)
    graded = grade(tmp_path / NAME)
    assert graded.exit_code == 0
    assert "All that was asked for is right." in graded.output


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("s03_rms_norm.py", True),
        ("S03_RMS_Norm.py", True),
        ("s03_rms_norm (1).py", True),
        ("s3_upload.py", False),
        ("s03_report.txt", False),
        ("slides.py", False),
        ("s03_rms_norm.old.py", False),
        ("test_s03_rms_norm.py", False),
    ],
)
def test_which_folders_are_graded_as_a_whole(name, meant, tmp_path):
    (tmp_path / name).write_text("")
    assert holds_stages(tmp_path, COURSE.stages()) is meant
