"""An installed course: whether each file is what was installed, and what brings it back.

The list of files and their SHA-256 is the one that a wheel carries and pip writes down, RECORD.
"""

from __future__ import annotations

import csv
import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from importlib.metadata import Distribution, distributions
from pathlib import Path

from token_journey.course.course import Course
from token_journey.errors import CourseError

_NAME = "token-journey"
# What packs hash themselves when they are opened.
_HASHED_BY_PACKS = ".safetensors"


def refuse_damage(course: Course) -> None:
    """Raises CourseError where a file of an installed course is not what was installed."""
    if not course.installed:
        return
    site = course.home.parents[1]
    found = _distribution(course)
    record = (found and found.read_text("RECORD")) or ""
    for name, recorded, _ in csv.reader(record.splitlines()):
        file = site / name
        if file.is_relative_to(course.home) and not _is_whole(file, recorded):
            raise damaged(course, f"{file} is not as it was installed")


def damaged(course: Course, why: str) -> CourseError:
    """The sentence that refuses an installed course, with the command that mends it."""
    return CourseError(f"{why}: `{_reinstall(_distribution(course))}` brings the course back.")


def _is_whole(file: Path, recorded: str) -> bool:
    """recorded: as RECORD says it, `sha256=…`, or nothing for what was made at the install"""
    if not recorded or file.suffix == _HASHED_BY_PACKS:
        return file.is_file() or not recorded
    try:
        digest = sha256(file.read_bytes()).digest()
    except OSError:
        return False
    return recorded == f"sha256={urlsafe_b64encode(digest).decode().rstrip('=')}"


def _distribution(course: Course) -> Distribution | None:
    return next(iter(distributions(name=_NAME, path=[str(course.home.parents[1])])), None)


def _reinstall(found: Distribution | None) -> str:
    """What was typed to install it, once more."""
    origin = json.loads((found and found.read_text("direct_url.json")) or "{}")
    system = origin.get("vcs_info", {}).get("vcs")
    where = f" @ {system}+{origin['url']}" if system else f" @ {origin['url']}" if origin else ""
    return f'pip install --force-reinstall --no-deps "{_NAME}{where}"'
