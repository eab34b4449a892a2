"""Made-up classes: hand-ins as students leave them, and results as if a judge had said them."""

from __future__ import annotations

import random
from pathlib import Path

from token_journey.classroom.class_list import ClassList
from token_journey.classroom.points import Points, one_each
from token_journey.classroom.result import FailedCheck, Result, StageResult
from token_journey.classroom.results import NAME, Results
from token_journey.classroom.roster import Student
from token_journey.course.course import find_course
from token_journey.course.lessons import mistakes

COURSE = find_course()
STAGES = COURSE.stages()
CHECKS = [f"test_{number}[smollm2-135m-p1]" for number in range(6)]
NAMES = ("Maria Solér", "Pau O'Brien", 'Nora "No" Äß', "علي حسن", "=1+1", "李 小龙", "Ann Lee")


def result(
    name: str = "Maria Solér",
    number: str = "",
    right: int = 10,
    mistake: str = "",
    **more: object,
) -> Result:
    """right: how many stages are; the next one fails with a mistake, the rest is missing"""
    stages = []
    for index, stage in enumerate(STAGES):
        made = StageResult(stage.name, seconds=0.25)
        if index < right:
            made.passed = list(CHECKS)
        elif index == right:
            made.passed = CHECKS[:2]
            told = f"It looks as if {mistake}: <b>so</b>.\n  yours 1"
            made.failed = [
                FailedCheck(c, mistake or "off", told, bool(mistake)) for c in CHECKS[2:3]
            ]
            made.failed += [FailedCheck(c, mistake or "off", "", bool(mistake)) for c in CHECKS[3:]]
        else:
            made.missing = list(CHECKS)
            made.why = f"{stage.file} is not here: put it in this folder to have it graded."
        stages.append(made)
    said = {
        "hand_in": f"{name} {number}".strip(),
        "hash": name,
        "course": "0",
        "packs": {},
        "held_back": [],
        "remarks": [],
        "seconds": 1.5,
    }
    return Result(name=name, number=number, stages=stages, **{**said, **more})


def results_in(folder: Path, *made: Result) -> Results:
    results = Results(folder / NAME)
    for each in made:
        results.add(each)
    return results


def rows_of(
    folder: Path, *made: Result, points: Points | None = None, roster: list[Student] | None = None
) -> ClassList:
    return ClassList(results_in(folder, *made), STAGES, points or one_each(STAGES), roster)


def made_up_class(folder: Path, count: int) -> ClassList:
    """Students with every kind of name, mistake and gap."""
    chance = random.Random(0)
    made = []
    for index in range(count):
        right = chance.choice([0, 2, 2, 4, 6, 8, 10, 10])
        known = list(mistakes(COURSE, STAGES[right])) if right < 10 else [""]
        made.append(
            result(
                f"{NAMES[index % len(NAMES)]} {index}",
                right=right,
                mistake=chance.choice(known[:4]),
                seconds=round(chance.uniform(1, 40), 2),
                stopped=["s03_rms_norm: PermissionError at s03_rms_norm.py:5: no"]
                * (index % 9 == 4),
                remarks=["the same as the stub: 10"] * (index % 5 == 3),
                fingerprints={"s03_rms_norm": "a" if index % 8 == 1 else f"{index}"},
            )
        )
    made.append(result("Nobody", right=0, hash="", seconds=0.0, remarks=["no stage was handed in"]))
    made[-1].stages.clear()
    return rows_of(folder, *made)
