"""Shapes that are predicted in a cell: a question a line, and behind the arrow what is typed."""

from __future__ import annotations

import re

from token_journey.course.course import Course
from token_journey.course.stage import Stage
from token_journey.errors import UserError
from token_journey.notebook.shown import Shown, marked, together
from token_journey.watch.shapes import questions

_ARROW = "  →  "


def cell_of(course: Course, stage: Stage) -> str:
    """The lines of a cell; none for a stage without tensors."""
    return "\n".join(f"{question.text}{_ARROW}?" for question in questions(course, stage))


def judged(course: Course, stage: Stage, cell: str) -> Shown:
    """Each line that is answered, and why not where it is wrong. Raises UserError."""
    typed = {
        line.partition(_ARROW.strip())[0].strip(): line.partition(_ARROW.strip())[2]
        for line in cell.splitlines()
    }
    told = [
        marked(f"{question.text}: {said}", holds)
        for question in questions(course, stage)
        if re.search(r"\d|\(\)", answer := typed.get(question.text, ""))
        for holds, said in [question.judge(answer)]
    ]
    if not told:
        raise UserError("Put a shape in the place of a question mark, as in `→  5 2048`.")
    return together(*told)
