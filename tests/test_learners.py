"""Wrong submissions as learners write them: all fail, and the first line says why.

Each was written from the lesson alone, without the bank in sight: own names,
loops, in-place work, three languages. `cause.txt` holds the mistake in a
teacher's words, and below it key words of which a message that names it has one.
"""

import shutil
from pathlib import Path

import pytest
from graded import grade

from token_journey.course import find_course

SUBMISSIONS = sorted((Path(__file__).parent / "learners").iterdir())


@pytest.mark.parametrize("submission", SUBMISSIONS, ids=lambda folder: folder.name)
def test_the_first_line_names_the_mistake(submission, tmp_path):
    (stage,) = submission.glob("s*.py")
    for file in find_course().reference.glob("s*.py"):
        shutil.copy(stage if file.name == stage.name else file, tmp_path / file.name)
    graded = grade(tmp_path / stage.name)
    assert graded.exit_code == 1
    first = " ".join(graded.messages[0].split()).partition(" Read again")[0].lower()
    cause, words = (submission / "cause.txt").read_text(encoding="utf-8").splitlines()
    assert first.startswith("it looks as if"), cause
    assert any(word.strip() in first for word in words.split(",")), cause


def test_there_are_enough():
    assert len(SUBMISSIONS) >= 15
