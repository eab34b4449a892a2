"""A learner's folder: what `token-journey start` makes, and whose course its stages are of."""

from __future__ import annotations

import json
import re
from pathlib import Path

from token_journey.course.course import VERSION, Course
from token_journey.course.stubs import write_stubs
from token_journey.errors import CourseError
from token_journey.files import replacing, write_whole

# Says which course the stages were written for.
MARKER = ".token-journey.json"
STAGES = "exercises"

_README = """\
# A transformer, in ten stages

Each file in `exercises/` is a lesson, and below it stand functions for you to write. Begin with
`exercises/s01_tokenize.py`: read it, put your own lines in the place of each
`raise NotImplementedError`, and let pytest say what is right and what is wrong, and where.

New to PyTorch? [docs/pytorch-you-need.md](docs/pytorch-you-need.md) explains the little that the
stages use, and says for each stage which functions are allowed.

Type these in this folder. None of them needs a network.

| | |
|---|---|
| `token-journey watch` | judge a stage whenever you save it, with hints |
| `token-journey` | where you stand, and what to type next |
| `pytest` | grade all ten stages, and say which one is next |
| `pytest exercises/s01_tokenize.py` | grade one stage |
| `pytest --chained` | walk a text through all ten stages, each on what the last one made |
| `token-journey reset 1` | a fresh stage 1; your file is kept beside it |
| `token-journey solution 1` | the reference for stage 1, once yours is right |
"""


def start(folder: Path, course: Course) -> None:
    """Make a folder of ten stubs. Raises CourseError where that can't be done, and StubError."""
    try:
        _refuse(folder, course)
        _begin(folder, course)
        write_whole(folder / "README.md", _README.encode())
        (folder / "docs").mkdir()
        write_whole(folder / "docs" / course.torch_page.name, course.torch_page.read_bytes())
    except OSError as error:
        raise CourseError(
            f"{folder} can't be written ({error.strerror}): name a folder of your own."
        ) from None


def _begin(folder: Path, course: Course) -> None:
    with replacing(folder / STAGES) as fresh:
        write_stubs(course.reference, fresh)
    marker = json.dumps({"course": VERSION})
    write_whole(folder / MARKER, f"{marker}\n".encode())


def stages_around(folder: Path, course: Course) -> Path:
    """The stages of the kata that a folder lies in; where there is none, it becomes one.

    Raises CourseError where that can't be done, and StubError.
    """
    for above in (folder, *folder.parents):
        if is_kata(above, course):
            return stages_in(above, course)
    try:
        _begin(folder, course)
    except OSError as error:
        raise CourseError(
            f"{folder} can't be written ({error.strerror}): go to a folder of your own."
        ) from None
    return folder / STAGES


def _refuse(folder: Path, course: Course) -> None:
    """Raises OSError for a folder that can't be looked into."""
    if is_kata(folder, course):
        raise CourseError(f"{folder} holds a kata already: go on there, or name another folder.")
    for above in folder.resolve().parents:
        if is_kata(above, course):
            raise CourseError(f"{folder} lies inside the kata {above}: name a folder outside it.")
    if folder.exists() and not folder.is_dir():
        raise CourseError(f"{folder} is a file: name a folder that is not there yet.")
    if folder.is_dir() and any(folder.iterdir()):
        raise CourseError(f"{folder} is not empty: name a folder that is not there yet.")


def is_kata(folder: Path, course: Course) -> bool:
    """Whether somebody learns there: in what `start` made, in a clone, or in loose stage files."""
    started = (folder / MARKER).is_file() or bool(Course.at(folder).stages())
    return started or course.holds_stages(folder)


def stages_in(folder: Path, course: Course) -> Path:
    """The folder of stages that somebody means: this one, or the one in it.

    Raises CourseError where there is none.
    """
    found = next((f for f in (folder, folder / STAGES) if course.holds_stages(f)), None)
    if found is None and not is_kata(folder, course):
        raise CourseError(
            f"There are no stages in {folder.resolve()}: name a folder that has some, such as "
            "one that `token-journey start kata` makes."
        )
    return found or folder / STAGES


def of_another_course(folder: Path, course: Course) -> str | None:
    """What to say of stages that were not written for this course."""
    here = folder.resolve()
    for above in (here, *here.parents):
        if (above / MARKER).is_file():
            return _of_another_version(folder, above / MARKER)
        if above == course.home:
            return None
        if Course.at(above).stages():
            return (
                f"{folder} lies in another copy of token-journey; the kit that Python imports "
                f"grades it, with the course in {course.home}. To grade with that copy's own, "
                f"`pip install -e {above}`."
            )
    return None


def _of_another_version(folder: Path, marker: Path) -> str | None:
    ours, theirs = VERSION, _version(marker)
    if theirs in (None, ours):
        return None
    return (
        f"{folder} is of version {theirs} of the course, and version {ours} grades it: where a "
        f"check asks for what the lesson does not say, install version {theirs}."
    )


def _version(marker: Path) -> str | None:
    """What a marker says, if it can be read and shown."""
    try:
        said = str(json.loads(marker.read_bytes())["course"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return said if re.fullmatch(r"[\w.+-]{1,40}", said, re.ASCII) else None
