"""Lessons, promises and mistakes' texts come through one door."""

import pytest

from token_journey.course import lessons
from token_journey.course.course import find_course
from token_journey.course.implementation import Implementation
from token_journey.course.misconceptions import Misconception, rewrites_in
from token_journey.course.stage import Stage

COURSE = find_course()


@pytest.mark.parametrize("stage", COURSE.stages(), ids=lambda stage: stage.name)
def test_every_stage_has_a_lesson(stage):
    assert lessons.lesson(COURSE, stage).startswith(f"Stage {stage.number} · ")


def test_a_check_stands_for_its_first_line():
    def test_by_hand():
        """It is so.

        And more.
        """

    def test_without():
        pass

    assert lessons.promise_of(test_by_hand) == "It is so."
    assert lessons.promise_of(test_without) == "test_without"


def test_all_of_them_can_be_said_otherwise(monkeypatch):
    monkeypatch.setattr(lessons, "_", lambda text: f"¡{text}!")
    mistake = Misconception("f", "name", "source", does="does", read="read")
    assert lessons.texts_of(mistake) == lessons.Mistake("f", "¡name!", "¡does!", "¡read!")
    assert lessons.promise_of(len).startswith("¡")
    assert lessons.lesson(COURSE, Stage("s03_rms_norm")).startswith("¡Stage 3")


@pytest.mark.parametrize(
    "stage, name, word",
    [
        ("s03_rms_norm", "eps is added outside the root", "ε"),
        ("s09_softmax", "the maximum is not taken off", "overflow"),
    ],
)
def test_a_mistake_leads_to_a_paragraph_of_its_lesson(stage, name, word):
    mistake = lessons.mistakes(COURSE, Stage(stage))[name]
    assert word in lessons.paragraph(COURSE, Stage(stage), mistake)


def test_the_texts_of_mistakes_are_read_as_python_reads_them():
    bank = Implementation(COURSE.checks / "misconceptions")
    for stage in COURSE.stages():
        found = [m for m in rewrites_in(bank.module(stage.name)) if isinstance(m, Misconception)]
        assert lessons.mistakes(COURSE, stage) == {m.name: lessons.texts_of(m) for m in found}
    bank.unload()


def test_every_mistake_leads_to_some_paragraph():
    for stage in COURSE.stages():
        for mistake in lessons.mistakes(COURSE, stage).values():
            assert lessons.paragraph(COURSE, stage, mistake), mistake.name
