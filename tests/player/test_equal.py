"""A grade is the same at the desk and by players, check by check, whatever was handed in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from token_journey.course.course import find_course
from token_journey.course.implementation import Implementation
from token_journey.course.misconceptions import rewrites_in
from token_journey.errors import IsolationError
from token_journey.grading.run import Grader
from token_journey.grading.verdict import Grade

pytestmark = pytest.mark.slow

COURSE = find_course()
WRITTEN = Path(__file__).parents[1] / "course"


def hand_ins() -> Iterator[tuple[str, str, str]]:
    """A kind, a stage file's name and its text: rewrites of the reference, then whole files."""
    for kind, place in (
        ("misconceptions", COURSE.checks / "misconceptions"),
        ("variants", WRITTEN / "variants"),
        ("borrowed", WRITTEN / "borrowed"),
    ):
        written = Implementation(place)
        for file in sorted(place.glob("s*.py")):
            right = (COURSE.reference / file.name).read_text(encoding="utf-8")
            for change in rewrites_in(written.module(file.stem)):
                yield kind, file.name, f"{right}\n\n{change.source}"
        written.unload()
    for kind in ("learners", "blind"):
        for file in sorted((WRITTEN / kind).rglob("s*.py")):
            yield kind, file.name, file.read_text(encoding="utf-8")


def one_a_stage() -> list[object]:
    """The first of each kind and stage; the others are for `make exam`."""
    chosen, met = [], set()
    for place, (kind, name, text) in enumerate(hand_ins()):
        marks = [pytest.mark.exam] if (kind, name) in met else []
        chosen.append(pytest.param(name, text, id=f"{kind}-{place}-{name[:3]}", marks=marks))
        met.add((kind, name))
    return chosen


@pytest.fixture(scope="module")
def isolated() -> Iterator[Grader]:
    try:
        with Grader(isolated=True) as grader:
            yield grader
    except IsolationError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def at_the_desk() -> Grader:
    return Grader()


def kinds(grade: Grade) -> dict[tuple[str, str], tuple[object, ...]]:
    return {(v.stage, v.check): (v.kind, v.mend) for v in grade.verdicts}


def test_every_solution_passes_every_check(isolated: Grader) -> None:
    graded = isolated.grade(COURSE.reference)
    assert {verdict.kind for verdict in graded.verdicts} == {"passed"}
    assert len(graded.stages) == 10


@pytest.mark.parametrize(("name", "text"), one_a_stage())
def test_a_grade_is_the_same(
    name: str, text: str, tmp_path: Path, isolated: Grader, at_the_desk: Grader
) -> None:
    for file in COURSE.reference.glob("s*.py"):
        shutil.copy(file, tmp_path)
    (tmp_path / name).write_text(text, encoding="utf-8")
    ours, theirs = (kinds(g.grade(tmp_path / name)) for g in (at_the_desk, isolated))
    assert ours == theirs
