"""Consoles that have few signs: every command says there what it has to say, in plain ones."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from checkpoints import make
from consoles import ENCODINGS, FEW_SIGNS, said_on

from token_journey.course.course import find_course
from token_journey.packs.pack import Pack

COURSE = find_course()
NAME, TEXT = "maría → 中", "açò → 🎶 és"
STEERING = "\x1b[31mred\u202e\n"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return make(tmp_path_factory.mktemp("models") / NAME, num_hidden_layers=1)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_show(encoding):
    said = said_on(encoding, ["show", "--all"])
    assert said.code == 0 and said.err == ""
    assert max(map(len, said.out.splitlines())) <= 70  # a sign can become a word
    assert said.out.count("?") < 106  # the vocabulary's end is printed: letters of all scripts
    assert said_on(encoding, ["show"]).out.count("?") == 0
    assert ("#####" if encoding in FEW_SIGNS else "█████") in said.out  # bars


@pytest.mark.parametrize("encoding", FEW_SIGNS)
@pytest.mark.parametrize("ways", [["--dry-run"], ["--stream"], ["--stream", "--slice"], []])
def test_capture(ways, encoding, model, tmp_path):
    line = ["capture", str(model), "--prompt", TEXT, "--out", str(tmp_path / NAME), *ways]
    said = said_on(encoding, line)
    assert said.code == 0 and said.err == ""  # not one line of a bar
    assert ("mar\u00eda > ?" if encoding == "cp1252" else "maria > ?") in said.out
    assert "> ? " in said.out and "memory " in said.out
    assert ways == ["--dry-run"] or "holds the pack" in said.out
    again = said_on(encoding, ["capture", str(model), "--prompt", TEXT, "--layers", "→"])
    assert again.code == 1 and again.err.count("\n") == 1 and "'>'" in again.err


@pytest.mark.parametrize("encoding", FEW_SIGNS)
def test_verify(encoding):
    said = said_on(encoding, ["verify", str(COURSE.packs / "aitana-2b-s-published")])
    assert said.code == 0 and said.err == ""
    assert "numbers match what was published" in said.out
    assert ("a\u00e7\u00f2 es or..." if encoding == "cp1252" else "aco es or...") in said.out
    said = said_on(encoding, ["verify", str(COURSE.packs / "witness-gqa")])
    assert said.code == 1 and said.err.count("\n") == 1


@pytest.mark.parametrize("encoding", FEW_SIGNS)
def test_fetch(encoding, monkeypatch):
    monkeypatch.setattr("token_journey.models.fetch.fetch", lambda: Path(f"/{NAME}/smollm2"))
    said = said_on(encoding, ["fetch"])
    assert said.code == 0 and said.err == ""
    assert said.out.endswith("a > ?/smollm2\n")


@pytest.mark.parametrize("encoding", FEW_SIGNS)
def test_what_steers_a_console_is_shown(encoding, tmp_path):
    """A model's name, a prompt, a pack's place: none of it is ours."""
    folder = make(tmp_path / f"{STEERING.strip()}", num_hidden_layers=1)
    line = ["capture", str(folder), "--stream", "--prompt", f"la {STEERING} mar"]
    said = said_on(encoding, [*line, "--out", str(tmp_path / "a\u202eb")])
    assert said.code == 0 and said.err == ""
    assert "<1B>[31mred<202E>" in said.out and "a<202E>b holds the pack" in said.out
    assert all(line.isprintable() for line in said.out.splitlines())
    assert Pack(tmp_path / "a\u202eb").title == "<1B>[31mred<202E>"


# -- the grading table -----------------------------------------------------------------------

MISTAKE = ("(mean_square + eps).sqrt()", "mean_square.sqrt()")
PRINTS = "    print('→ 中 açò █')\n"


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A folder with a stage that prints, one with a mistake that has a name, and one to do."""
    folder = tmp_path_factory.mktemp("graded") / NAME
    folder.mkdir()
    wrong = (COURSE.reference / "s03_rms_norm.py").read_text(encoding="utf-8")
    assert MISTAKE[0] in wrong
    wrong = wrong.replace(*MISTAKE).replace("    x32 = x.float()", f"{PRINTS}    x32 = x.float()")
    (folder / "s03_rms_norm.py").write_text(wrong, encoding="utf-8")
    for place, name in ((COURSE.reference, "s08_lm_head.py"), (COURSE.exercises, "s02_embed.py")):
        stage = next(place.glob(f"{name[:4]}*.py"))
        (folder / stage.name).write_bytes(stage.read_bytes())
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--isolated"]], ids=["", "isolated"])
@pytest.mark.parametrize("encoding", FEW_SIGNS)
def test_the_table(encoding, options, graded):
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *sorted(map(str, graded.glob("s*.py"))), *options],
        capture_output=True,
        cwd=graded.parent,
        env={**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "60", "NO_COLOR": "1"},
    )
    said, err = run.stdout.decode(encoding), run.stderr.decode(encoding)
    assert run.returncode == 1 and err == ""
    assert "\\u" not in said and "\x1b" not in said and "UnicodeEncodeError" not in said
    rows = re.findall(r"^ +(\d+)  \w+ +([#.]{24}) +\d+/\d+  (.*)$", said, re.MULTILINE)
    assert [number for number, *_ in rows] == ["2", "3", "8"]
    bars = {number: bar for number, bar, _ in rows}
    assert set(bars["2"]) == {"."} and set(bars["8"]) == {"#"} and set(bars["3"]) == {"#", "."}
