"""Gradescope: results.json as its documentation has it, and an autograder that writes it.

    python -m token_journey.classroom.gradescope /autograder

grades what lies in /autograder/submission and writes /autograder/results/results.json; that is
what the autograder's `run_autograder` does. https://gradescope-autograders.readthedocs.io
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from importlib.metadata import requires
from pathlib import Path
from typing import Any

from token_journey.classroom.class_list import ClassList, StudentRow
from token_journey.classroom.engines import engine
from token_journey.classroom.grade import Grading
from token_journey.classroom.hand_ins import HandIn
from token_journey.classroom.points import Points, Worth, one_each, read_points
from token_journey.classroom.result import StageResult
from token_journey.classroom.results import NAME, Results, write
from token_journey.course.course import INSIDE, Course, find_course
from token_journey.course.stage import Stage
from token_journey.errors import UserError
from token_journey.foreign import shown

_LONGEST = 20_000


def gradescope(row: StudentRow, points: Points) -> dict[str, Any]:
    """A hand-in's results.json: a test a stage, and a hidden one where prompts are held back."""
    result = row.result
    tests = []
    for stage in result.stages if result else ():
        held_back = result.held_back if result else []
        shown_ones, hidden = _parted(stage, held_back)
        tests.append(_test(shown_ones, points[stage.stage]))
        if hidden.total:
            tests.append(_hidden(hidden))
    told: dict[str, Any] = {"score": float(row.sum), "tests": tests, "stdout_visibility": "hidden"}
    if result:
        told["execution_time"] = result.seconds
    if row.remarks:
        told["output"] = shown("\n".join(row.remarks), _LONGEST)
    return told


def _parted(stage: StageResult, held_back: Sequence[str]) -> tuple[StageResult, StageResult]:
    """Its checks on what everybody may see, and those on prompts that are held back."""

    def is_hidden(check: str) -> bool:
        return any(f"[{pack}-" in check for pack in held_back)

    def those(hidden: bool) -> StageResult:
        return StageResult(
            stage.stage,
            [check for check in stage.passed if is_hidden(check) == hidden],
            [told for told in stage.failed if is_hidden(told.check) == hidden],
            [check for check in stage.todo if is_hidden(check) == hidden],
            [check for check in stage.missing if is_hidden(check) == hidden],
            stage.why,
        )

    return those(False), those(True)


def _test(stage: StageResult, worth: Worth) -> dict[str, Any]:
    said = Stage(stage.stage)
    messages = [told.message for told in stage.failed if told.message]
    messages += ["to do"] * bool(stage.todo) + [stage.why] * bool(stage.missing)
    return {
        "number": f"{said.number}",
        "name": said.title,
        "score": float(worth.of(len(stage.passed), stage.total)),
        "max_score": float(worth.points),
        "status": "passed" if stage.done else "failed",
        "output": shown("\n\n".join([_held(stage), *messages]), _LONGEST),
        "visibility": "visible",
    }


def _hidden(stage: StageResult) -> dict[str, Any]:
    said = Stage(stage.stage)
    return {
        "number": f"{said.number}.1",
        "name": f"{said.title}, on prompts that are held back",
        "status": "passed" if stage.done else "failed",
        "output": _held(stage),
        "visibility": "hidden",
    }


def _held(stage: StageResult) -> str:
    return f"{len(stage.passed)} of {stage.total} checks hold."


# -- the autograder -----------------------------------------------------------

_SETUP = """\
#!/usr/bin/env bash
# Run once, when Gradescope builds the image: Python, and what grading needs.
set -e
cd "$(dirname "$0")"
apt-get update
for version in 3.13 3.12 3.11; do
  if apt-get install -y "python$version" "python$version-venv"; then break; fi
done
"python$version" -m venv venv
venv/bin/pip install --extra-index-url https://download.pytorch.org/whl/cpu {needs}
"""
_RUN = """\
#!/usr/bin/env bash
# Run for each hand-in, in /autograder.
cd "$(dirname "$0")"
export PYTHONPATH="$PWD/source/kit"
exec "${PYTHON:-source/venv/bin/python}" -m token_journey.classroom.gradescope .
"""


def write_autograder(
    file: Path, course: Course, points: Path | None, packs: Sequence[Path]
) -> None:
    """A zip to upload. Raises ClassError where it can't be written or the points can't be read."""
    needs = " ".join(f"'{n}'" for n in requires("token-journey") or () if "extra ==" not in n)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        _put(archive, "setup.sh", _SETUP.format(needs=needs).encode())
        _put(archive, "run_autograder", _RUN.encode())
        if points:
            read_points(points, course.stages())
            _put(archive, "points.csv", points.read_bytes())
        for pack in packs:
            _put_folder(archive, pack, f"packs/{pack.resolve().name}")
        _put_folder(archive, Path(__file__).resolve().parents[1], "kit/token_journey")
        if not course.installed:
            for folder in (course.checks, course.packs, course.reference):
                _put_folder(archive, folder, f"kit/token_journey/{INSIDE}/{folder.name}")
    write(file, made.getvalue())


def _put_folder(archive: zipfile.ZipFile, folder: Path, name: str) -> None:
    for file in sorted(folder.rglob("*")):
        inside = file.relative_to(folder)
        if file.is_file() and "__pycache__" not in inside.parts:
            _put(archive, f"{name}/{inside.as_posix()}", file.read_bytes())


def _put(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Always with the same date, and to be run where it is a script."""
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (0o755 if content.startswith(b"#!") else 0o644) << 16
    archive.writestr(entry, content, zipfile.ZIP_DEFLATED)


def main(home: Path) -> None:
    """Grade /autograder/submission; whatever happens, there are results."""
    source = home / "source"
    try:
        told = _graded(home / "submission", source)
    except UserError as error:
        told = {"score": 0, "output": f"This could not be graded: {error}"}
    write(home / "results" / "results.json", json.dumps(told, indent=1))


def _graded(submission: Path, source: Path) -> dict[str, Any]:
    course = find_course()
    given = source / "points.csv"
    points = read_points(given, course.stages()) if given.is_file() else one_each(course.stages())
    packs = sorted(file.parent for file in (source / "packs").glob("*/pack.json"))
    hand_in = HandIn("submission", "submission", "", ((submission, "submission"),))
    with tempfile.TemporaryDirectory() as scratch:
        results = Results(Path(scratch, NAME))
        Grading(course, packs, results).run([hand_in], engine(1, None))
        (row,) = ClassList(results, course.stages(), points)
        return gradescope(row, points)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
