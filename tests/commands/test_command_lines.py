"""Whatever is typed: one sentence and an exit code, no traceback, and no file left behind."""

from itertools import product

import pytest

from token_journey.commands.main import main

NUL, LONG, DEEP, LONE, BYTES = "a\0b", "x" * 300, "y/" * 3000, "\ud800", "caf\udce9"
NO_FILES = [NUL, LONG, DEEP, LONE, BYTES, ""]
STEERING = ["\x1b[31mred", "\u202egnirts", "a\nb", "[/bold]", "x" * 100_000, LONE, ""]
NO_NUMBERS = ["", "abc", "nan", "9" * 5000, "1e400", "0x", "\u202e1", LONE]

WITNESS = ["show", "açò es or...", "--model", "witness-gqa"]
NAMES_A_FILE = [
    ["verify"],
    ["start"],
    ["reset", "3"],
    ["solution", "3"],
    ["capture"],
    ["capture", "nowhere", "--prompts"],
    ["capture", "nowhere", "--prompt", "a", "--out"],
    ["rebuild", "nothing", "--out"],
    ["cost"],
    ["cost", "--html"],
    ["cost", "--png"],
    ["show", "--impl"],
    ["show", "--html"],
    ["show", "a", "--model"],
]
TAKES_TEXT = [
    ["show", "--step"],
    ["cost", "--step"],
    ["reset"],
    ["solution"],
    ["rebuild"],
    ["capture", "nowhere", "--prompt", "a", "--layers"],
    ["capture", "nowhere", "--device"],
]
LINES = [
    *([*line, name] for line, name in product(NAMES_A_FILE, NO_FILES)),
    *([*line, text] for line, text in product(TAKES_TEXT, STEERING)),
    *([*WITNESS, "--layer", text] for text in [*NO_NUMBERS, "inf", "-1", "99", "9" * 50]),
    *([*WITNESS, "--seed", text] for text in [*NO_NUMBERS, "-1", "9" * 50]),
    *([*WITNESS, "--top-k", text] for text in [*NO_NUMBERS, "-1", "0.5"]),
    *(["show", "--top-p", text] for text in [*NO_NUMBERS, "0", "-1", "1.1", "inf"]),
    *(["show", "--temperature", text] for text in [*NO_NUMBERS, "0", "-1", "1e-40", "inf", "1e9"]),
    *(["cost", "--tokens", text] for text in [*NO_NUMBERS, "-1", "0", "7", "9" * 50]),
    *(["show", "--model", "witness-gqa", text] for text in ["", "  ", LONE, NUL, "x" * 100_001]),
    *([command, "--nonsense"] for command in ("fetch", "show", "cost", "matrix", "stubs")),
    *([""], ["nonsense"], ["\x1b[2J"], ["x" * 100_000], [LONE]),
    *(["fetch", "now"], ["matrix", "of"], ["stubs", "3"], ["verify"], ["capture"], ["verify", "."]),
    ["capture", ".", "--prompt", "a"],
    ["capture", ".", "--prompt", LONE],
    ["capture", ".", "--prompt", BYTES],
    ["capture", ".", "--prompt", "a", "--prompts", "b"],
    ["capture", "nowhere", "--prompts", "."],
    ["cost", "nowhere"],
    ["cost", "."],
    ["cost", "--html", "."],
    ["cost", "--png", "nowhere/cost.png"],
    ["show", "--impl", "."],
    ["show", "a", "--impl", "."],
    ["show", "--model", "witness-gqa", "--impl", "nowhere"],
    ["show", "--html", "."],
    ["show", "--html", "nowhere/walk.html"],
    ["show", "a", "--model", "."],
    ["show", "a", "--model", "witness-gqa"],
    ["show", "--layer", "24"],
]  # fmt: skip


def test_there_are_enough():
    assert len(LINES) >= 150


@pytest.mark.parametrize("line", LINES, ids=lambda line: ascii(" ".join(line))[:60])
def test_one_sentence_and_no_traceback(line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    try:
        code = main(line)
    except SystemExit as ended:
        code = ended.code
    said = capsys.readouterr()
    assert code in (1, 2), said.out
    assert said.err.count("\n") == 1 and said.err.endswith("\n")
    assert "Traceback" not in said.err and len(said.err) < 2500
    assert said.err[:-1].isprintable()
    assert list(tmp_path.iterdir()) == []
