"""`--chained`: one walk through all stages of a folder."""

import shutil

import pytest
from graded import grade

from token_journey.course.course import find_course
from token_journey.course.stubs import make_stub

COURSE = find_course()


@pytest.fixture(autouse=True)
def nothing_fetched(monkeypatch, tmp_path):
    """The walk goes through a witness, whatever lies in the user's cache."""
    monkeypatch.setenv("TOKEN_JOURNEY_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def solved(tmp_path):
    return shutil.copytree(COURSE.reference, tmp_path / "maria")


def test_the_solutions_walk_as_the_model_does(solved):
    graded = grade(solved, options=("--chained",))
    assert graded.exit_code == 0
    assert "tokens … the next token, are the model's." in graded.output
    assert "Next token, your walk:  ' es'" in graded.output


def test_the_first_name_that_leaves_the_model_is_told(solved):
    file = solved / "s05_attention.py"
    file.write_text(file.read_text().replace("/ math.sqrt(q.shape[-1])", "/ q.shape[-1]"))
    graded = grade(solved, options=("--chained",))
    assert graded.exit_code == 1
    assert "blocks.0.attn.pattern is the first to leave the model" in graded.output
    assert "It comes from stage 5, s05_attention.py." in graded.output
    assert "Traceback" not in graded.output


def test_stubs_are_stood_in_for(solved):
    for stage in ("s03_rms_norm", "s10_generate"):
        file = solved / f"{stage}.py"
        file.write_text(make_stub(file.read_text()))
    graded = grade(solved, options=("--chained",))
    assert graded.exit_code == 0
    assert "Still to do, so the reference stands in: stage 3, 10." in graded.output


@pytest.mark.parametrize("asked", [("s03_rms_norm",), ("s03_rms_norm", "s09_softmax")], ids=len)
def test_a_stage_file_stands_for_its_folder(asked, solved):
    graded = grade(*(solved / f"{stage}.py" for stage in asked), options=("--chained",))
    assert graded.exit_code == 0
    assert graded.output.count("Next token, your walk:  ' es'") == 1


def test_a_stage_that_breaks_off_is_told(solved):
    (solved / "s06_swiglu.py").write_text("def silu(x): return x\n\ndef swiglu(x): return x\n")
    graded = grade(solved, options=("--chained",))
    assert graded.exit_code == 1
    assert "s06_swiglu.py stopped the walk: `swiglu` is called with 4 values" in graded.output


def test_wrong_ids_are_told_and_the_walk_goes_on(solved):
    file = solved / "s01_tokenize.py"
    file.write_text(
        file.read_text() + "\n\ndef encode(words, vocab, ranks, bos_id=None):\n    return [0]\n"
    )
    graded = grade(solved, options=("--chained",))
    assert "tokens is the first to leave the model" in graded.output
    assert "Next token, your walk:" in graded.output
