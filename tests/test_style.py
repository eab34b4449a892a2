"""ruff formats and lints, the kit is typed, imports go down its floors, and names tell apart."""

import ast
import subprocess
import sys
from collections import Counter
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


def test_no_two_public_classes_bear_one_name():
    files = (find_course().home / "token_journey").rglob("*.py")
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    classes = Counter(
        node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
    )
    assert [name for name, n in classes.items() if n > 1 and not name.startswith("_")] == []
