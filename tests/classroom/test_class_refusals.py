"""What an instructor can cause is one sentence, and nothing is half written."""

import json
import os

import pytest
from made_up import COURSE, result, results_in

from token_journey.commands.main import main

NORM = "s03_rms_norm.py"


@pytest.fixture
def hand_ins(tmp_path):
    (tmp_path / "in" / "maria").mkdir(parents=True)
    (tmp_path / "in" / "maria" / NORM).write_text("def rms_norm(x, weight, eps):\n    return x\n")
    return tmp_path / "in"


def said(capsys, *arguments):
    """The one sentence on standard error."""
    assert main(["class", *map(str, arguments)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("token-journey: ") and error.count("\n") == 1, error
    return error


def test_no_results_folder(hand_ins, capsys):
    assert "Say with --out" in said(capsys, hand_ins)


def test_nothing_to_do(tmp_path, capsys):
    assert "Name the folder of the hand-ins" in said(capsys, "--out", tmp_path / "out")


@pytest.mark.parametrize("place", ["in", "in/results", "in/maria/deep"])
def test_results_inside_the_hand_ins(place, hand_ins, tmp_path, capsys):
    before = sorted(hand_ins.rglob("*"))
    assert "in which nothing is changed" in said(capsys, hand_ins, "--out", tmp_path / place)
    assert sorted(hand_ins.rglob("*")) == before


def test_an_empty_folder(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    assert "There is nothing in" in said(capsys, tmp_path / "in", "--out", tmp_path / "out")


def test_a_folder_that_is_not_there(tmp_path, capsys):
    assert "is not there" in said(capsys, tmp_path / "in", "--out", tmp_path / "out")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read all")
def test_a_folder_that_can_not_be_read(hand_ins, tmp_path, capsys):
    hand_ins.chmod(0)
    try:
        assert "can't be read" in said(capsys, hand_ins, "--out", tmp_path / "out")
    finally:
        hand_ins.chmod(0o700)


def test_results_that_are_there_already(hand_ins, tmp_path, capsys):
    results_in(tmp_path, result())
    before = (tmp_path / "results.jsonl").read_bytes()
    assert "go on with --resume" in said(capsys, hand_ins, "--out", tmp_path, "--workers", 1)
    assert (tmp_path / "results.jsonl").read_bytes() == before


def test_results_that_are_none(hand_ins, tmp_path, capsys):
    (tmp_path / "results.jsonl").write_text("nonsense\n")
    assert "is no result" in said(capsys, hand_ins, "--out", tmp_path, "--resume")


def test_an_out_that_is_a_file(hand_ins, tmp_path, capsys):
    (tmp_path / "out").write_text("")
    assert "can't be written" in said(capsys, hand_ins, "--out", tmp_path / "out")


def test_exports_of_nothing(tmp_path, capsys):
    sentence = said(capsys, "--out", tmp_path, "--export", "junit")
    assert "There are no results in" in sentence
    assert "There are no results of shards" in said(capsys, "--out", tmp_path, "--merge")


@pytest.mark.parametrize("option", ["--roster", "--points"])
def test_a_list_that_is_not_there(option, hand_ins, tmp_path, capsys):
    out = tmp_path / "out"
    assert "x.csv is not there" in said(capsys, hand_ins, "--out", out, option, tmp_path / "x.csv")
    assert not out.exists()


@pytest.mark.parametrize(
    "option, text, why",
    [
        ("--roster", "name\nMaria\n", "has no column of ids"),
        ("--roster", "id\n1\n1\n", "has the id '1' twice"),
        ("--points", "stage,points\nsoft,1\n", "names 'soft', which is no stage"),
    ],
)
def test_a_list_that_is_none_is_said_before_anything_is_graded(
    option, text, why, hand_ins, tmp_path, capsys
):
    (tmp_path / "x.csv").write_text(text)
    out = tmp_path / "out"
    assert why in said(capsys, hand_ins, "--out", out, option, tmp_path / "x.csv")
    assert not out.exists()


def test_no_pack(hand_ins, tmp_path, capsys):
    out = tmp_path / "out"
    assert "There is no pack in" in said(capsys, hand_ins, "--out", out, "--pack", tmp_path)


def test_a_damaged_pack_is_said_before_anything_is_graded(hand_ins, tmp_path, capsys):
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "pack.json").write_text("{}")
    out = tmp_path / "out"
    assert "pack" in said(capsys, hand_ins, "--out", out, "--pack", tmp_path / "pack")
    assert not (out / "results.jsonl").exists()


def test_no_workers(hand_ins, tmp_path, capsys):
    assert "say 1 or more" in said(capsys, hand_ins, "--out", tmp_path / "out", "--workers", 0)


@pytest.mark.parametrize("shard", ["3", "0/4", "5/4", "x/y", "-1/2", "1/0"])
def test_no_shard(shard, hand_ins, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["class", str(hand_ins), "--out", str(tmp_path / "out"), f"--shard={shard}"])
    assert ended.value.code == 2
    assert "write 3/20 for the third of 20" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense", "tcp://nowhere.invalid:1"])
def test_a_scheduler_that_does_not_answer(address, hand_ins, tmp_path, monkeypatch, capsys):
    pytest.importorskip("distributed")
    monkeypatch.setattr("token_journey.classroom.engines._SECONDS_TO_ANSWER", 1)
    sentence = said(capsys, hand_ins, "--out", tmp_path / "out", "--scheduler", address)
    assert "No scheduler answers at" in sentence


def test_the_autograder_can_not_be_written(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert "can't be written" in said(capsys, "--gradescope-zip", tmp_path / "file" / "x.zip")


def test_results_of_another_version_are_said_and_kept(hand_ins, tmp_path, capsys):
    """Nothing has to be judged: the hand-in is empty, and its line is of another version."""
    (hand_ins / "maria" / NORM).unlink()
    arguments = [str(hand_ins), "--out", str(tmp_path / "out"), "--workers", "1"]
    assert main(["class", *arguments]) == 0
    file = tmp_path / "out" / "results.jsonl"
    line = json.loads(file.read_text())
    file.write_text(json.dumps(line | {"course": "0.0.1"}) + "\n")
    assert main(["class", *arguments, "--resume"]) == 0
    assert "--resume --regrade grades them anew" in capsys.readouterr().out
    assert json.loads(file.read_text())["course"] == "0.0.1"
    assert main(["class", *arguments, "--resume", "--regrade"]) == 0
    assert json.loads(file.read_text())["course"] == line["course"]
    assert COURSE.stages()[2].file == NORM
