"""The command line: a file a subcommand, nothing loaded before it is asked for, no traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

import token_journey.commands
from token_journey.commands.main import main
from token_journey.course import course

FILES = Path(token_journey.commands.__file__).parent.glob("*.py")
OTHERS = ("__init__", "main", "options")
COMMANDS = sorted(file.stem.rstrip("_") for file in FILES if file.stem not in OTHERS)

LOADED = """
import sys
from token_journey.commands.main import main
try:
    main(sys.argv[1:])
finally:
    print("loaded:", *sorted({"torch", "numpy", "transformers"} & set(sys.modules)))
"""


def test_every_file_is_the_subcommand_it_is_named_as(capsys):
    for command in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0
        assert capsys.readouterr().out.startswith(f"usage: token-journey {command} ")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--help"],
        ["show", "--help"],
        ["reset", "x"],
        ["start", "."],
        ["hint", "x"],
        ["shapes", "1"],
    ],
)
def test_what_needs_no_torch_loads_none(arguments):
    run = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=False
    )
    assert run.stdout.splitlines()[-1] == "loaded:"


@pytest.mark.parametrize(
    "command", ["show", "cost", "stubs", "reset 3", "start new", "solution 3", "matrix", "rebuild"]
)
def test_a_kit_without_its_course_says_so(command, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(course, "__file__", str(tmp_path / "kit" / "course" / "course.py"))
    monkeypatch.chdir(tmp_path)
    assert main(command.split()) == 1
    said = capsys.readouterr().err
    assert "was installed without its course: clone the repository" in said
    assert said.count("\n") == 1


def test_stubs_that_cannot_be_written_say_so(monkeypatch, tmp_path, capsys):
    """A file lies where the folder of exercises belongs."""
    home = tmp_path / "course"
    (home / "solutions").mkdir(parents=True)
    (home / "solutions" / "s01_one.py").write_text('"""One."""\n', encoding="utf-8")
    (home / "exercises").write_text("no folder", encoding="utf-8")
    found = course.Course(home, home, home, home / "solutions", home / "exercises")
    monkeypatch.setattr("token_journey.commands.stubs.find_clone", lambda: found)
    assert main(["stubs"]) == 1
    said = capsys.readouterr().err
    assert "can't be written: " in said and said.count("\n") == 1
