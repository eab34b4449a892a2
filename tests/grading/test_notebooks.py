"""`pytest kata.ipynb`: a notebook is graded by its stage cells, and nothing else of it is run."""

import json
import shutil

import pytest
from graded import grade
from notebooks import COURSE, code, solved, written

import token_journey

WRONG = "%%stage rms_norm\ndef rms_norm(x, weight, eps):\n    return x\n"
NAMES = [stage.name for stage in COURSE.stages()]
RUNS = "import pathlib; pathlib.Path({!r}).write_text('it ran')\n"


def test_the_solutions_in_cells_are_right_and_nothing_else_is_run(tmp_path):
    ran = tmp_path / "ran"
    file = written(tmp_path, "kata.ipynb", RUNS.format(str(ran)), "%load_ext nix", *solved())
    graded = grade(file)
    assert graded.exit_code == 0 and not ran.exists()
    assert {about["stage"] for about in graded.reports} == set(NAMES)
    assert {about["path"] for about in graded.reports} == {str(file)}
    assert "All that was asked for is right" in graded.output


def test_what_is_not_there_is_a_row_that_says_so(tmp_path):
    graded = grade(written(tmp_path, "kata.ipynb", WRONG, *solved("embed")))
    assert graded.exit_code == 1
    assert graded.kinds("s02_embed") == {"passed"}
    assert "failed" in graded.kinds("s03_rms_norm")
    assert graded.kinds("s04_rope") == {"missing"}
    assert "kata.ipynb: no cell begins with `%%stage rope`: write one." in graded.messages
    assert "write stage 1, `%%stage tokenize` in" in graded.output


def test_a_line_of_a_message_is_a_line_of_the_cell(tmp_path):
    cell = "%%stage rms_norm\n\ndef rms_norm(x, weight, eps):\n    return nix\n"
    graded = grade(written(tmp_path, "kata.ipynb", cell))
    assert "s03_rms_norm.py:4" in graded.output


def test_of_a_stage_that_is_there_twice_the_last_counts(tmp_path):
    graded = grade(written(tmp_path, "kata.ipynb", WRONG, *solved("rms_norm")))
    assert graded.kinds("s03_rms_norm") == {"passed"}
    assert "rms_norm is there twice: its last cell counts" in " ".join(graded.output.split())


def test_a_cell_with_a_magic_is_left_out(tmp_path):
    graded = grade(written(tmp_path, "kata.ipynb", WRONG + "%timeit rms_norm\n"))
    assert graded.kinds("s03_rms_norm") == {"missing"}
    assert any("'%timeit rms_norm' is for a notebook" in said for said in graded.messages)


@pytest.mark.parametrize(
    "damaged", [b'{"cells": [', b'{"cells": [{"cell_type": 7}]}', b"[1]", b"\xff\xfe", b"null"]
)
def test_a_damaged_notebook_is_ten_rows_that_say_so(damaged, tmp_path):
    file = tmp_path / "kata.ipynb"
    file.write_bytes(damaged + b"  %%stage rms_norm")
    graded = grade(file)
    assert graded.exit_code == 1 and len(graded.reports) > 10
    assert {about["kind"] for about in graded.reports} == {"missing"}
    assert all("can't be read as a notebook" in said for said in graded.messages)


def test_a_notebook_without_stage_cells_is_said_in_a_sentence(tmp_path):
    graded = grade(written(tmp_path, "other.ipynb", "x = 1"))
    assert graded.exit_code == pytest.ExitCode.USAGE_ERROR
    assert "nothing to grade in other.ipynb" in graded.output


def test_a_folder_of_notebooks(tmp_path):
    written(tmp_path / "class", "maria.ipynb", *solved("rms_norm"))
    written(tmp_path / "class" / "deep", "joan.ipynb", WRONG)
    written(tmp_path / "class", "other.ipynb", "x = 1")
    graded = grade(tmp_path / "class", options=("-k", "rms_norm"))
    kinds = {
        name: {a["kind"] for a in graded.reports if a["path"].endswith(name)}
        for name in ("maria.ipynb", "joan.ipynb")
    }
    assert kinds["maria.ipynb"] == {"passed"} and "failed" in kinds["joan.ipynb"]
    assert "other.ipynb" not in graded.output


def test_beside_a_learner_s_files_a_notebook_counts_if_it_is_named(tmp_path):
    shutil.copytree(COURSE.reference, tmp_path / "exercises")
    (tmp_path / ".token-journey.json").write_text('{"course": "0.1.0"}')
    file = written(tmp_path, "kata.ipynb", WRONG)
    assert {a["path"] for a in grade(tmp_path, options=("--co",)).reports} == set()
    listed = grade(tmp_path, options=("--co", "-q")).output
    assert "exercises" in listed and "kata.ipynb" not in listed
    assert "kata.ipynb" in grade(file, options=("--co", "-q")).output


@pytest.mark.parametrize("given", ["file", "folder"])
def test_what_would_steer_the_grader_beside_a_notebook_is_refused(given, tmp_path):
    ran = tmp_path / "ran"
    file = written(tmp_path / "maria", "kata.ipynb", *solved("rms_norm"))
    (file.parent / "conftest.py").write_text(RUNS.format(str(ran)))
    graded = grade(file if given == "file" else file.parent)
    assert graded.exit_code == pytest.ExitCode.USAGE_ERROR and not ran.exists()


def test_below_the_folder_that_is_graded_it_is_refused_as_a_row(tmp_path):
    file = written(tmp_path / "maria", "kata.ipynb", *solved("rms_norm"))
    (file.parent / "conftest.py").write_text("")
    graded = grade(tmp_path)
    assert {about["kind"] for about in graded.reports} == {"missing"}
    assert all("would run inside the grader" in said for said in graded.messages)


def test_chained_says_where_to_walk(tmp_path):
    graded = grade(written(tmp_path, "kata.ipynb", WRONG), options=("--chained",))
    assert graded.exit_code == pytest.ExitCode.USAGE_ERROR
    assert "pytest exercises --chained" in graded.output


def test_the_public_call_takes_a_notebook(tmp_path):
    file = written(tmp_path, "kata.ipynb", *solved("softmax"))
    grades = {row.stage: row for row in token_journey.grade(file).stages}
    assert grades["s09_softmax"].done and grades["s01_tokenize"].missing


def test_an_isolated_notebook_is_judged_the_same(tmp_path):
    file = written(tmp_path, "kata.ipynb", *solved("rms_norm"))
    graded = grade(file, options=("--isolated", "-k", "rms_norm"))
    assert graded.kinds("s03_rms_norm") == {"passed"}


def test_no_other_notebook_is_looked_at(tmp_path):
    (tmp_path / "other.ipynb").write_text(json.dumps(code("x = 1")))
    (tmp_path / "test_x.py").write_text("def test_x(): pass")
    graded = grade(tmp_path)
    assert graded.exit_code == 0 and not graded.reports
