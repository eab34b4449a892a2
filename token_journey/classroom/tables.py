"""CSV files: for a person, for Moodle, for Canvas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

from token_journey.classroom.class_list import ClassList, StudentRow
from token_journey.course.stage import Stage
from token_journey.foreign import foreign

ASSIGNMENT = "token-journey"


def grades(rows: ClassList) -> str:
    """One row a student, one column a stage: how many of its checks hold."""
    stages = [Stage(name).title for name in rows.stages]
    head = ["student", "id", "email", *stages, f"sum (of {number(rows.most)})", "remarks"]
    lines = (
        [
            *map(safe, (row.student.name, row.student.id, row.student.email)),
            *(_held(row, name, rows.totals[name]) for name in rows.stages),
            number(row.sum),
            safe("; ".join(row.remarks)),
        ]
        for row in rows
    )
    # With a mark by which Excel knows UTF-8.
    return "\ufeff" + _csv(head, lines)


def moodle(rows: ClassList) -> str:
    """For Moodle's import of grades: what is imported without feedback would wipe it."""
    head = ["ID number", "Email address", "Full name", ASSIGNMENT, f"{ASSIGNMENT} (feedback)"]
    lines = (
        [row.student.id, row.student.email, safe(row.student.name), number(row.sum), brief(row)]
        for row in rows
    )
    return _csv(head, lines)


def canvas(rows: ClassList) -> str:
    """For Canvas's gradebook: its own columns, with the line of possible points below them."""
    head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", ASSIGNMENT]
    possible = ["    Points Possible", "", "", "", "", number(rows.most)]
    lines = ([*_canvas_ids(row), "", number(row.sum)] for row in rows)
    return _csv(head, [possible, *lines])


def _canvas_ids(row: StudentRow) -> list[str]:
    """A number in the name of a file is Canvas's own; a roster has the school's, too."""
    student = row.student
    own = student.site or (row.result.number if row.result else "") or student.id
    return [safe(student.name), own, student.id if student.id != own else "", student.login]


def brief(row: StudentRow) -> str:
    """Feedback in a cell: what is right, and of each other stage why not."""
    said = []
    for stage in row.result.stages if row.result else ():
        if not stage.done:
            why = "; ".join(stage.mistakes) or ("to do" if stage.todo else stage.why)
            counted = f"{len(stage.passed)} of {stage.total} checks hold"
            said.append(f"{Stage(stage.stage).title}: {counted}" + (f" ({why})" if why else ""))
    said = said or (["All stages are right."] if row.result and row.result.stages else [])
    return safe("\n".join([*said, *row.remarks]))


def number(points: Decimal) -> str:
    """Without zeros that say nothing."""
    return f"{points:f}".rstrip("0").rstrip(".") if "." in f"{points:f}" else f"{points:f}"


def safe(text: str) -> str:
    """No spreadsheet takes it for a formula."""
    said = "\n".join(foreign(line, 2_000) for line in text.splitlines())
    return f"'{said}" if said.startswith(("=", "+", "-", "@")) else said


def _held(row: StudentRow, name: str, total: int) -> str:
    """In words: a spreadsheet takes 3/5 for a day in May."""
    stage = row.stage(name)
    return f"{len(stage.passed)} of {stage.total}" if stage else f"0 of {total}"


def _csv(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(head)
    writer.writerows(rows)
    return written.getvalue()
