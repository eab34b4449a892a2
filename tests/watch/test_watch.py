"""`token-journey watch` in a terminal, as a learner uses it."""

import os
import re
import shutil
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from pty_session import Terminal, desk, flat

from token_journey.commands.main import main
from token_journey.course.course import find_course
from token_journey.watch.progress import FILE, Progress

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no pty here")

COURSE = find_course()
NORM = "s03_rms_norm"
RIGHT = (COURSE.reference / f"{NORM}.py").read_text(encoding="utf-8")
WRONG = RIGHT.replace("(mean_square + eps).sqrt()", "(mean_square.sqrt() + eps)")
BEGINNING = "s asks for shapes."


@pytest.fixture
def kata(tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN_JOURNEY_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert main(["start", str(tmp_path / "kata")]) == 0
    return tmp_path / "kata"


def save(kata, name, text):
    """As many editors do: a new file takes the old one's place."""
    fresh = kata / "exercises" / f".{name}.swp"
    fresh.write_text(text, encoding="utf-8")
    os.replace(fresh, kata / "exercises" / f"{name}.py")


@pytest.mark.slow
def test_from_an_empty_folder_to_ten_green_stages(tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN_JOURNEY_CACHE", str(tmp_path / "cache"))
    kit = [sys.executable, "-m", "token_journey"]
    subprocess.run([*kit, "start", "kata"], cwd=tmp_path, check=True, capture_output=True)
    kata = tmp_path / "kata"
    stages = COURSE.stages()
    with desk(kata) as terminal:
        for number, stage in enumerate(stages):
            terminal.expect(f"{number} of 10 done")
            terminal.expect(BEGINNING)
            for step in ("a question", "the formula", "the steps in words"):
                terminal.type("h")
                terminal.expect(f": {step}")
            # What was written by somebody who had the lessons and the hints, and no solution.
            stub = (kata / "exercises" / stage.file).read_text(encoding="utf-8")
            mine = Path(__file__).with_name("by_hints") / f"{stage.title}.py"
            text = stub + mine.read_text(encoding="utf-8")
            if number % 2:
                save(kata, stage.name, text)
            else:
                (kata / "exercises" / stage.file).write_text(text, encoding="utf-8")
            if stage != stages[-1]:
                terminal.expect(f"Stage {stage.number} is right.", gone="Judging")
                terminal.type("n")
        terminal.expect("10 of 10 done")
        terminal.expect("All ten stages are right.")
        terminal.expect("--chained")
        terminal.type("q")
        assert terminal.ended() == 0
    progress = Progress.read(kata / "exercises")
    assert all(progress.done(stage) and progress.is_judged(stage) for stage in stages)
    assert sum(len(functions) for functions in progress.hints.values()) == 10
    said = subprocess.run(kit, cwd=kata, capture_output=True, text=True, check=True).stdout
    assert "All ten stages are right." in said


def test_wrong_still_wrong_and_right(kata):
    file = os.path.join("exercises", f"{NORM}.py")
    with desk(kata, file) as terminal:
        terminal.expect("rms_norm.py")
        terminal.expect(BEGINNING)
        save(kata, NORM, WRONG)
        terminal.expect("Change the file and save it.")
        assert "It looks as if eps is added outside the root" in flat(terminal.screen)
        terminal.type("h")
        terminal.expect("A hint about your mistake: eps is added outside the root")
        mark = len(terminal.written)
        save(kata, NORM, WRONG + "\n# again\n")
        terminal.expect("Change the file and save it.", gone="A hint about")
        told = terminal.written[mark:]
        assert "It fails still: " in told
        assert told.index("It fails still: ") < told.index("It looks as if")
        mark = len(terminal.written)
        save(kata, NORM, RIGHT)
        terminal.expect("Stage 3 is right.")
        assert "It holds now: " in terminal.written[mark:]
        terminal.type("n")
        terminal.expect("Stage 1 · tokenize")
        terminal.type("q")
        assert terminal.ended() == 0


def test_progress_is_there_the_next_day(kata):
    with desk(kata, f"exercises/{NORM}.py") as terminal:
        terminal.expect(BEGINNING)
        save(kata, NORM, RIGHT)
        terminal.expect("Stage 3 is right.")
        terminal.type("q")
        terminal.ended()
    with desk(kata) as terminal:
        terminal.expect("1 of 10 done")
        terminal.expect("Stage 3 is right.")
        terminal.type("q")
        terminal.ended()
    (kata / "exercises" / FILE).unlink()
    with desk(kata) as terminal:
        terminal.expect("Stage 1 · tokenize")
        terminal.type("q")
        assert terminal.ended() == 0


def test_every_key(kata, tmp_path):
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\necho '# edited' >> $1\necho $1 > opened\n")
    editor.chmod(0o755)
    save(kata, NORM, WRONG)
    with desk(kata, EDITOR=str(editor), VISUAL="") as terminal:
        terminal.expect(BEGINNING)
        terminal.type("l")
        terminal.expect("The number of a stage")
        terminal.type("99\n")
        terminal.expect("There is no stage 99.")
        terminal.type("l")
        terminal.expect("The number of a stage")
        terminal.type("3\n")
        terminal.expect("It looks as if eps")
        terminal.type("n")
        terminal.expect("Stage 3 is not right yet.")
        terminal.type("s")
        terminal.expect("Which shape comes out?")
        terminal.type("5 2048\n")
        terminal.expect("Right: (5, 2048)")
        terminal.type("\n")
        terminal.expect("1 of 1 right.")
        terminal.type("\n")
        terminal.expect("It looks as if eps")
        terminal.type("c")
        terminal.expect("Change the file and save it.")
        terminal.type("r")
        terminal.expect("Change the file and save it.")
        terminal.type("e")
        terminal.expect("Change the file and save it.", gone="Judging")
        assert (kata / "opened").read_text().strip() == f"exercises/{NORM}.py"
        terminal.type("x")
        terminal.expect("Type yes:")
        terminal.type("no\n")
        terminal.expect("Nothing was changed.")
        terminal.type("x")
        terminal.expect("Type yes:")
        terminal.type("yes\n")
        terminal.expect("is a fresh stub. Your old file is")
        terminal.type("\x1b[A?7")  # an arrow and keys that mean nothing
        terminal.type("q")
        assert terminal.ended() == 0
    assert (kata / "exercises" / f"{NORM}.old.py").is_file()


@pytest.mark.slow
@pytest.mark.exam
def test_the_walk_of_a_stage(kata):
    for stage in COURSE.stages():
        save(kata, stage.name, (COURSE.reference / stage.file).read_text(encoding="utf-8"))
    with desk(kata, "exercises/s06_swiglu.py") as terminal:
        terminal.expect("All ten stages are right.")
        terminal.type("w")
        terminal.expect("Enter goes back.")
        assert "yours is the model's" in flat(terminal.screen)
        terminal.type("\n")
        terminal.expect("All ten stages are right.")
        terminal.type("q")
        assert terminal.ended() == 0


@pytest.mark.exam
def test_saved_twice_at_once_half_saved_and_deleted(kata):
    file = kata / "exercises" / f"{NORM}.py"
    with desk(kata, str(file)) as terminal:
        terminal.expect(BEGINNING)
        file.write_text(WRONG, encoding="utf-8")
        file.write_text(RIGHT, encoding="utf-8")
        terminal.expect("Stage 3 is right.")
        file.write_text(RIGHT[: RIGHT.index("mean_square")], encoding="utf-8")
        terminal.expect("fails")
        file.unlink()
        terminal.expect("not here")
        save(kata, NORM, RIGHT)
        terminal.expect("Stage 3 is right.")
        terminal.type("q")
        assert terminal.ended() == 0


@pytest.mark.parametrize("columns", [60, pytest.param(80, marks=pytest.mark.exam)])
def test_sixty_columns_and_no_colour(kata, columns):
    with desk(kata, columns=columns, NO_COLOR="1") as terminal:
        terminal.expect(BEGINNING)
        save(kata, NORM, WRONG)
        terminal.expect("Change the file and save it.")
        assert max(map(len, terminal.screen.splitlines())) <= columns
        assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", terminal.written)
        terminal.type("q")
        assert terminal.ended() == 0


@pytest.mark.parametrize("end", [pytest.param("q", marks=pytest.mark.exam), "\x03"])
def test_the_terminal_is_left_as_it_was(kata, end):
    watch = f"{sys.executable} -m token_journey watch"
    shell = f"trap : INT; stty -a > before; {watch}; stty -a > after; echo over"
    with Terminal("sh", "-c", shell, cwd=kata) as terminal:
        terminal.expect(BEGINNING)
        terminal.type(end)
        terminal.expect("over")
        terminal.ended()
    assert (kata / "before").read_text() == (kata / "after").read_text()
    assert termios.ECHO  # and it is a terminal that echoes
    assert " echo " in (kata / "after").read_text().replace(";", " ").replace("\n", " ")


def test_twice_in_the_same_folder(kata):
    with desk(kata) as terminal:
        terminal.expect(BEGINNING)
        with desk(kata / "exercises") as second:
            assert second.ended() == 1
            assert "is watched already" in flat(second.screen)
        terminal.type("q")
        assert terminal.ended() == 0


@pytest.mark.exam
def test_a_stage_that_ends_python(kata):
    with desk(kata, f"exercises/{NORM}.py") as terminal:
        terminal.expect(BEGINNING)
        save(kata, NORM, "import ctypes\ndef rms_norm(x, w, e): ctypes.string_at(0)\n")
        terminal.expect("It ended Python itself, with SIGSEGV. That was s03_rms_norm.py")
        save(kata, NORM, RIGHT)
        terminal.expect("Stage 3 is right.")
        terminal.type("q")
        assert terminal.ended() == 0


# -- what is no desk ----------------------------------------------------------------


def run(*arguments, cwd):
    command = [sys.executable, "-m", "token_journey", "watch", *arguments]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )


def test_no_terminal_is_one_run_and_a_sentence(kata):
    shutil.copy(COURSE.reference / "s02_embed.py", kata / "exercises")
    done = run(os.path.join("exercises", "s02_embed.py"), cwd=kata)
    assert done.returncode == 0
    assert "All that was asked for is right." in done.stdout
    assert done.stdout.endswith("This is no terminal, so nothing is watched: it was judged once.\n")


@pytest.mark.parametrize(
    "path, said",
    [
        ("empty", "There are no stages in"),
        ("notes.txt", "is no stage: "),
        ("nowhere", "no stages in"),
    ],
)
def test_where_nothing_can_be_watched(kata, path, said):
    (kata.parent / "empty").mkdir()
    (kata.parent / "notes.txt").write_text("x")
    done = run(path, cwd=kata.parent)
    assert done.returncode == 1
    assert said in done.stderr and done.stderr.count("\n") == 1
