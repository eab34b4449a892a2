"""Submissions written blind, with neither checks nor messages in sight: none is judged wrongly.

Most have no mistake but one, told in `cause.txt`; some have two; the right ones are odd. How
many are told their mistake, `python benchmarks/exam.py tests/course/blind` counts.
"""

from pathlib import Path

import pytest
from graded import graded_among_solutions, one_a_stage

pytestmark = pytest.mark.slow

BLIND = Path(__file__).parent / "blind"
WRONG, RIGHT = (sorted((BLIND / kind).iterdir()) for kind in ("wrong", "right"))


@pytest.mark.parametrize("submission", one_a_stage(WRONG))
def test_no_mistake_passes(submission, tmp_path):
    graded = graded_among_solutions(submission, tmp_path)
    assert graded.exit_code == 1, (submission / "cause.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("submission", one_a_stage(RIGHT))
def test_right_is_right_however_odd(submission, tmp_path):
    graded = graded_among_solutions(submission, tmp_path)
    assert graded.exit_code == 0, graded.messages[:1]


def test_there_are_enough():
    assert len(WRONG) >= 150
    assert len(RIGHT) >= 60
