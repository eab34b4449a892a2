"""Shapes that are predicted in a cell: a question a line, and behind the arrow what is typed."""

from __future__ import annotations

import re

from token_journey.course.course import Course
from token_journey.course.kata_notebook import ARROW
from token_journey.course.stage import Stage
from token_journey.notebook.shown import Shown, marked, sentences, together
from token_journey.watch.shapes import questions


def judged(course: Course, stage: Stage, cell: str) -> Shown:
    """Each line that is answered, and why not where it is wrong."""
    lines = [line.partition(ARROW.strip()) for line in cell.splitlines()]
    typed = {call.strip(): answer for call, _, answer in lines}
    told = [
        marked(f"{question.text}: {said}", holds)
        for question in questions(course, stage)
        if re.search(r"\d|\(\)", answer := typed.get(question.text, ""))
        for holds, said in [question.judge(answer)]
    ]
    ask = sentences(["Put a shape in the place of a question mark, as in `→  5 2048`."])
    return together(*told) if told else ask
