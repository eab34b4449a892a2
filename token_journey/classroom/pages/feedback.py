"""What one student reads: the messages, the table, what to read again. Nobody else's name."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from jinja2 import Template
from markupsafe import Markup

from token_journey.classroom.class_list import StudentRow
from token_journey.classroom.result import StageResult
from token_journey.classroom.roster import folded
from token_journey.classroom.tables import number
from token_journey.course.course import Course
from token_journey.course.lessons import Mistake, mistakes, paragraph
from token_journey.course.stage import Stage
from token_journey.drawing.page import environment, part
from token_journey.files import sha256_of_text
from token_journey.words import table as words

# As many failures of a stage are told as pytest tells.
_STORIES = 3


def file_of(row: StudentRow) -> str:
    """A name that every file system takes, and no other row has."""
    said = re.sub(r"[^a-z0-9]+", "-", folded(row.student.name).encode("ascii", "ignore").decode())
    return f"{said[:60] or 'student'}-{sha256_of_text(row.key)[:8]}"


def feedback(row: StudentRow, most: str, course: Course) -> str:
    """One complete HTML document."""
    stages = [_told(stage, course) for stage in (row.result.stages if row.result else ())]
    page = _template().render(row=row, stages=stages, sum=number(row.sum), most=most, style=style())
    return page.strip()


@cache
def _template() -> Template:
    return environment(__package__).get_template("feedback.html.j2")


@cache
def style() -> Markup:
    return Markup(part(__package__, "pages.css"))


def _told(stage: StageResult, course: Course) -> dict[str, Any]:
    messages = [told.message for told in stage.failed if told.message]
    return {
        "stage": Stage(stage.stage),
        "passed": len(stage.passed),
        "total": stage.total,
        "said": _state(stage),
        "messages": messages[:_STORIES],
        "more": max(len(messages) - _STORIES, 0),
        "read": [(m, paragraph(course, Stage(stage.stage), m)) for m in known(stage, course)],
    }


def _state(stage: StageResult) -> str:
    if stage.missing:
        return stage.why
    if stage.done:
        earlier = sorted(Stage(name).number for name in stage.mend)
        return words.waits_for(earlier) if earlier else "right"
    if stage.todo and not stage.failed:
        return "to do"
    return f"{len(stage.failed)} of {stage.total} checks fail"


def known(stage: StageResult, course: Course) -> list[Mistake]:
    """The known mistakes that were named, one by one."""
    texts = bank(course, stage.stage)
    found = {}
    for said in stage.mistakes:
        for name in [said] if said in texts else said.split(", and "):
            if name in texts:
                found[name] = texts[name]
    return list(found.values())


@cache
def bank(course: Course, stage: str) -> dict[str, Mistake]:
    return mistakes(course, Stage(stage))
