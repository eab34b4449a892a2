"""overview.html: what a class can do, which mistakes it makes, and where people stop."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from markupsafe import Markup

from token_journey.classroom.class_list import ClassList, StudentRow
from token_journey.classroom.pages.feedback import file_of, known, style
from token_journey.classroom.tables import number
from token_journey.course.course import Course
from token_journey.course.lessons import paragraph
from token_journey.course.stage import Stage
from token_journey.drawing import vega
from token_journey.drawing.page import charts, environment, part

_SLOWEST = 10


@dataclass(frozen=True)
class Cell:
    """A stage of a student's: `share` of its checks in tenths, and what that is in a word."""

    passed: int
    total: int
    share: int
    said: str


@dataclass
class Overview:
    """All that the page shows, gathered row by row, so that no result is kept."""

    students: list[dict[str, Any]] = field(default_factory=list)
    mistakes: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    stops: Counter[str] = field(default_factory=Counter)
    stopped: list[tuple[str, list[str]]] = field(default_factory=list)
    open: set[str] = field(default_factory=set)
    versions: set[str] = field(default_factory=set)
    alike: dict[tuple[tuple[str, str], ...], list[str]] = field(default_factory=dict)

    def add(self, row: StudentRow, rows: ClassList, course: Course) -> None:
        result, name = row.result, row.student.name
        cells = [_cell(row, stage, rows.totals[stage]) for stage in rows.stages]
        self.students.append(
            {
                "name": name,
                "file": file_of(row),
                "cells": cells,
                "sum": number(row.sum),
                "seconds": result.seconds if result else 0.0,
                "remarks": "; ".join(row.remarks),
            }
        )
        self.stops[next((s for s in rows.stages if not _is_done(row, s)), "")] += 1
        if result is None:
            return
        if result.stopped:
            self.stopped.append((name, result.stopped))
        self.open.update(result.open)
        self.versions.add(result.course)
        if result.fingerprints:
            self.alike.setdefault(tuple(sorted(result.fingerprints.items())), []).append(name)
        for stage in result.stages:
            for mistake in known(stage, course):
                fresh = {
                    "stage": Stage(stage.stage),
                    "text": mistake,
                    "paragraph": paragraph(course, Stage(stage.stage), mistake),
                    "who": [],
                }
                key = stage.stage, mistake.name
                self.mistakes.setdefault(key, fresh)["who"].append(name)


def overview(rows: ClassList, course: Course) -> str:
    """One complete HTML document, which fetches nothing."""
    vega.start()
    seen = Overview()
    for row in rows:
        seen.add(row, rows, course)
    jinja = environment(__package__)
    stages = [Stage(name) for name in rows.stages]
    return (
        jinja.get_template("overview.html.j2")
        .render(
            seen=seen,
            stages=stages,
            most=number(rows.most),
            facts=_facts(seen, rows),
            mistakes=sorted(seen.mistakes.values(), key=lambda m: (-len(m["who"]), m["stage"])),
            stops=[(s.title, seen.stops[s.name]) for s in stages] + [("none", seen.stops[""])],
            alike=[names for names in seen.alike.values() if len(names) > 1],
            slowest=_slowest(seen),
            style=style(),
            vega=Markup(vega.bundle()),
            script=Markup("\n".join([charts(), part(__package__, "overview.js")])),
            payload=Markup(_payload(seen, stages)),
        )
        .strip()
    )


def _cell(row: StudentRow, name: str, total: int) -> Cell:
    stage = row.stage(name)
    if stage is None or stage.missing:
        return Cell(0, total, 0, "missing")
    if stage.todo and not stage.failed and not stage.passed:
        return Cell(0, stage.total, 0, "to do")
    passed = len(stage.passed)
    said = "right" if stage.done else "wrong"
    return Cell(passed, stage.total, 10 * passed // max(stage.total, 1), said)


def _is_done(row: StudentRow, name: str) -> bool:
    stage = row.stage(name)
    return stage is not None and stage.done


def _slowest(seen: Overview) -> list[tuple[str, float]]:
    found = sorted(seen.students, key=lambda student: -student["seconds"])[:_SLOWEST]
    return [(student["name"], student["seconds"]) for student in found]


def _facts(seen: Overview, rows: ClassList) -> list[tuple[str, str]]:
    points = [row["sum"] for row in seen.students]
    lost = sum(all(c.said == "missing" for c in row["cells"]) for row in seen.students)
    return [
        ("students", f"{len(points)}"),
        ("all stages right", f"{seen.stops['']}"),
        ("without any stage", f"{lost}"),
        (f"median of {number(rows.most)}", f"{median(map(float, points)):g}" if points else "—"),
        ("stopped by the jail", f"{len(seen.stopped)}"),
    ]


def _payload(seen: Overview, stages: list[Stage]) -> str:
    """What charts are drawn from; it can stand in a script block, for it holds no `<`."""
    stops = [{"name": stage.title, "count": seen.stops[stage.name]} for stage in stages]
    told = {
        "stops": [*stops, {"name": "all right", "count": seen.stops[""]}],
        "seconds": [student["seconds"] for student in seen.students if student["seconds"]],
    }
    return json.dumps(told).replace("<", "\\u003c")
