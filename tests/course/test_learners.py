"""Submissions as learners write them: wrong ones are told why in the first line, right ones pass.

Each was written from the lesson alone, with neither checks nor bank in sight: own
names, loops, in-place work, three languages. Beside a wrong one `cause.txt` holds the
mistake in a teacher's words, and below it key words of which the first sentence has one.
"""

from pathlib import Path

import pytest
from graded import graded_among_solutions, one_a_stage

pytestmark = pytest.mark.slow

LEARNERS = Path(__file__).parent / "learners"
WRONG, RIGHT = (sorted((LEARNERS / kind).iterdir()) for kind in ("wrong", "right"))


@pytest.mark.parametrize("submission", one_a_stage(WRONG))
def test_the_first_line_names_the_mistake(submission, tmp_path):
    graded = graded_among_solutions(submission, tmp_path)
    assert graded.exit_code == 1
    told = " ".join(graded.messages[0].split()).lower()
    first = told.partition(" read again")[0].partition(" checked:")[0]
    cause, words = (submission / "cause.txt").read_text(encoding="utf-8").splitlines()
    assert any(word.strip() in first for word in words.split(",")), cause


@pytest.mark.parametrize("submission", one_a_stage(RIGHT))
def test_right_is_right_however_it_is_written(submission, tmp_path):
    graded = graded_among_solutions(submission, tmp_path)
    assert graded.exit_code == 0, graded.messages[:1]


def test_there_are_enough():
    assert len(WRONG) >= 40
    assert len(RIGHT) >= 20
