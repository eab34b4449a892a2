"""ruff formats and lints, and the kit is typed."""

import subprocess
import sys

import pytest

from token_journey.course.course import find_course


@pytest.mark.parametrize(
    "command", ["ruff check .", "ruff format --check .", "mypy"], ids=lambda c: c.split()[0]
)
def test_style(command):
    done = subprocess.run(
        [sys.executable, "-m", *command.split()],
        cwd=find_course().home,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
