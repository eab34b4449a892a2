"""Which hint comes next, and that it is remembered."""

import pytest

from token_journey.commands.main import main
from token_journey.course.course import find_course
from token_journey.course.lessons import hints
from token_journey.course.stage import Stage
from token_journey.errors import UserError
from token_journey.watch.hints import next_hint
from token_journey.watch.progress import Progress, Stand

COURSE = find_course()
ATTENTION = Stage("s05_attention")


@pytest.fixture
def folder(tmp_path):
    assert main(["start", str(tmp_path / "kata")]) == 0
    return tmp_path / "kata" / "exercises"


def test_three_steps_then_the_last_again(folder):
    progress = Progress.read(folder)
    said = [next_hint(COURSE, ATTENTION, progress, "repeat_kv") for _ in range(4)]
    known = hints(COURSE, ATTENTION)["repeat_kv"]
    assert [hint.text for hint in said] == [*known.steps, known.skeleton]
    assert "last hint" in said[3].after
    assert Progress.read(folder).hints == {ATTENTION.name: {"repeat_kv": 3}}


def test_the_first_function_that_is_not_written(folder):
    file = folder / ATTENTION.file
    assert "`split_heads`" in next_hint(COURSE, ATTENTION, Progress.read(folder)).title
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("raise NotImplementedError", "return x", 2), encoding="utf-8")
    assert "`repeat_kv`" in next_hint(COURSE, ATTENTION, Progress.read(folder)).title


def test_the_function_that_a_failed_check_calls(folder):
    progress = Progress.read(folder)
    failed = ["test_a_single_token", "test_who_may_look[x]", "test_the_pattern_of_the_model"]
    progress.stands[ATTENTION.name] = Stand(failed=2, first=failed)
    assert "`causal_mask`" in next_hint(COURSE, ATTENTION, progress).title
    progress.stands[ATTENTION.name] = Stand(failed=1, first=failed)
    assert "`grouped_query_attention`" in next_hint(COURSE, ATTENTION, progress).title


def test_a_named_mistake_comes_first(folder):
    stage, progress = Stage("s03_rms_norm"), Progress.read(folder)
    progress.stands[stage.name] = Stand(failed=1, mistake="eps is added outside the root")
    first, second = (next_hint(COURSE, stage, progress) for _ in range(2))
    assert "eps is added outside the root" in first.title
    assert "the root is taken of the mean square alone" in first.text
    assert second.text == hints(COURSE, stage)["rms_norm"].question


@pytest.mark.parametrize("mistake", ["no such name", "a, and b", ""])
def test_a_mistake_without_texts_is_no_hindrance(folder, mistake):
    stage, progress = Stage("s03_rms_norm"), Progress.read(folder)
    progress.stands[stage.name] = Stand(failed=1, mistake=mistake, first=["test_nothing"])
    assert "`rms_norm`" in next_hint(COURSE, stage, progress).title


def test_a_function_that_is_not_there(folder):
    with pytest.raises(UserError, match="has no 'softmax': choose split_heads or "):
        next_hint(COURSE, ATTENTION, Progress.read(folder), "softmax")


@pytest.mark.parametrize("spoiled", ["(", "\udcff", "def f(:\n", ""])
def test_a_file_that_python_can_not_read_has_hints_all_the_same(folder, spoiled):
    (folder / ATTENTION.file).write_bytes(spoiled.encode(errors="surrogateescape"))
    assert "`split_heads`" in next_hint(COURSE, ATTENTION, Progress.read(folder)).title


def test_the_command(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder.parent)
    assert main(["hint", "5"]) == 0
    assert capsys.readouterr().out.startswith("Hint 1 of 3 for `split_heads`: a question\n\n")
    assert main(["hint", "5"]) == 0
    assert capsys.readouterr().out.startswith("Hint 2 of 3 for `split_heads`: the formula\n\n")
    for wrong in (["hint", "11"], ["hint", "x"], ["hint", "5", "nothing"]):
        assert main(wrong) == 1
        assert capsys.readouterr().err.count("\n") == 1
    monkeypatch.chdir("/")
    assert main(["hint", "5"]) == 1
    assert "There are no stages in" in capsys.readouterr().err
