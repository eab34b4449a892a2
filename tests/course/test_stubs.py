"""Stubs are solutions without bodies, and no learner's work is lost."""

import ast

import pytest

from token_journey.commands.main import main
from token_journey.course.stage import Stage
from token_journey.course.stubs import is_written, make_stub, reset, write_stubs
from token_journey.errors import StubError

SOLUTION = '''\
"""Stage 1 · ç: a lesson."""

import math  # stays
from collections.abc import (
    Sequence,
)

TABLE = [1, 2]  # a constant stays


def first(
    x: int,  # a comment of the signature
    *more: "ç ò",
) -> int:
    """What it does.

    x: "ç"
    """
    # how it is done
    def inner():
        """Inside."""
        return math.pi

    return x
    # and why


class Kept:
    """An outline."""

    size = 3

    @property
    def area(self) -> int:
        """Its area."""
        if self:
            return 1
        # never

    async def wait(self):
        """For long."""


def last(): 
    """Says nothing."""
    return """
text
"""


# A comment of the module.
END = 4
'''

STUB = '''\
"""Stage 1 · ç: a lesson."""

import math  # stays
from collections.abc import (
    Sequence,
)

TABLE = [1, 2]  # a constant stays


def first(
    x: int,  # a comment of the signature
    *more: "ç ò",
) -> int:
    """What it does.

    x: "ç"
    """
    raise NotImplementedError


class Kept:
    """An outline."""

    size = 3

    @property
    def area(self) -> int:
        """Its area."""
        raise NotImplementedError

    async def wait(self):
        """For long."""
        raise NotImplementedError


def last(): 
    """Says nothing."""
    raise NotImplementedError


# A comment of the module.
END = 4
'''


def write(folder, stage, text):
    folder.mkdir(exist_ok=True)
    (folder / f"{stage}.py").write_text(text, encoding="utf-8")


@pytest.fixture
def course(tmp_path):
    """A course of two stages: solutions, and exercises not yet made."""
    for stage in ("s01_one", "s02_two"):
        write(tmp_path / "solutions", stage, SOLUTION)
    return tmp_path / "solutions", tmp_path / "exercises"


def test_bodies_go_and_all_else_stays():
    assert make_stub(SOLUTION) == STUB


def test_the_stub_of_a_stub_is_itself():
    assert make_stub(STUB) == STUB
    assert not is_written(STUB)


def test_every_function_needs_a_docstring():
    with pytest.raises(ValueError, match="`f` has no docstring"):
        make_stub("def f():\n    return 1\n")


@pytest.mark.parametrize(
    "text",
    [
        STUB.replace("raise NotImplementedError", "return 1", 1),
        STUB.replace(
            "    raise NotImplementedError", "    y = 1\n    raise NotImplementedError", 1
        ),
        STUB + "\ndef helper(): return 1\n",
        STUB + "\nfirst = \n",
        "first = max\n",
    ],
    ids=["filled in", "begun", "helper", "half a line", "no function left"],
)
def test_what_counts_as_written(text):
    assert is_written(text)


def test_stubs_are_written_and_work_is_left_alone(course):
    solutions, exercises = course
    assert write_stubs(solutions, exercises) == []
    mine = STUB.replace("raise NotImplementedError", "return 1", 1)
    write(exercises, "s01_one", mine)
    write(exercises, "s02_two", STUB.replace("a lesson", "an older lesson"))
    assert write_stubs(solutions, exercises) == [exercises / "s01_one.py"]
    assert (exercises / "s01_one.py").read_text(encoding="utf-8") == mine
    assert (exercises / "s02_two.py").read_text(encoding="utf-8") == STUB


def test_reset_keeps_every_old_file(course):
    solutions, exercises = course
    names = ["s02_two.old.py", "s02_two.2.old.py", "s02_two.3.old.py"]
    for number, name in enumerate(names):
        mine = f"{STUB}\n# try {number}\n"
        write(exercises, "s02_two", mine)
        assert reset("2", solutions, exercises) == (exercises / "s02_two.py", exercises / name)
        assert (exercises / "s02_two.py").read_text(encoding="utf-8") == STUB
        assert (exercises / name).read_text(encoding="utf-8") == mine
    assert sorted(f.name for f in exercises.iterdir()) == sorted([*names, "s02_two.py"])


def test_old_files_are_no_stages(course):
    solutions, exercises = course
    write(exercises, "s02_two", "mine")
    kept = {reset("2", solutions, exercises)[1]}
    write(exercises, "s02_two", "mine, too")
    kept.add(reset("2", solutions, exercises)[1])
    assert [Stage.of_file(file) for file in kept] == [None, None]


def test_reset_keeps_nothing_that_is_only_the_stub(course):
    solutions, exercises = course
    for _ in range(2):
        assert reset("1", solutions, exercises) == (exercises / "s01_one.py", None)
    assert [f.name for f in exercises.iterdir()] == ["s01_one.py"]


def test_reset_keeps_what_is_no_text(course):
    solutions, exercises = course
    exercises.mkdir()
    (exercises / "s01_one.py").write_bytes(b"\xff\xfe")
    _, kept = reset("1", solutions, exercises)
    assert kept.read_bytes() == b"\xff\xfe"


def test_a_number_that_no_stage_has(course):
    with pytest.raises(StubError) as caught:
        reset("12", *course)
    assert str(caught.value) == "There is no stage 12: give a number from 1 to 2."
    assert not course[1].exists()


def test_no_solutions(tmp_path):
    with pytest.raises(StubError, match="There are no solutions in"):
        write_stubs(tmp_path, tmp_path / "exercises")


@pytest.mark.parametrize("given", ["12", "0", "-1", "three", ""])
def test_the_command_says_what_is_wrong_in_a_sentence(given, capsys):
    assert main(["reset", given]) == 1
    said = capsys.readouterr()
    assert (
        said.err
        == f"token-journey: {f'There is no stage {given}'.rstrip()}: give a number from 1 to 10.\n"
    )
    assert said.out == ""


def test_stubs_are_python():
    ast.parse(STUB)
