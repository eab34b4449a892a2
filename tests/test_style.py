"""ruff formats and lints, the kit is typed, and every import goes down its floors."""

import subprocess
import sys
from pathlib import Path

import pytest

from token_journey.course.course import find_course


@pytest.mark.parametrize(
    "command",
    ["ruff check .", "ruff format --check .", "mypy", "lint-imports"],
)
def test_style(command):
    name, *arguments = command.split()
    done = subprocess.run(
        [Path(sys.executable).with_name(name), *arguments],
        cwd=find_course().home,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
