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

from token_journey.course.course import VERSION, Course
from token_journey.errors import CourseError

_NAME = "token-journey"


def refuse_damage(course: Course, *, packs: bool = False) -> None:
    """Raises CourseError where a file of an installed course is not what was installed.

    packs: hash theirs, too, which they do themselves when they are opened
    """
    if not course.installed:
        return
    site = course.home.parents[1]
    found = next(iter(distributions(name=_NAME, path=[str(site)])), None)
    record = (found and found.read_text("RECORD")) or ""
    for name, recorded, _ in csv.reader(record.splitlines()):
        file = site / name
        if not recorded or not file.is_relative_to(course.home):
            continue
        hashed = packs or not file.is_relative_to(course.packs)
        if not (_is_whole(file, recorded) if hashed else file.is_file()):
            raise CourseError(
                f"{file} is not as it was installed: `{_reinstall(found)}` brings the course back."
            )


def _is_whole(file: Path, recorded: str) -> bool:
    """recorded: the hash as RECORD says it, `sha256=…`"""
    try:
        digest = sha256(file.read_bytes()).digest()
    except OSError:
        return False
    return recorded == f"sha256={urlsafe_b64encode(digest).decode().rstrip('=')}"


def _reinstall(found: Distribution | None) -> str:
    """What was typed to install it, once more."""
    origin = json.loads((found and found.read_text("direct_url.json")) or "{}")
    system = origin.get("vcs_info", {}).get("vcs")
    where = f"{system}+{origin['url']}" if system else origin.get("url", f"{_NAME}=={VERSION}")
    return f"pip install --force-reinstall --no-deps {where}"
