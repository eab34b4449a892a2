"""What is said before anything is computed: empty prompts, too much memory, too many days."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from checkpoints import TEXTS, make

from token_journey.capture.capture import Order, capture, plan_for
from token_journey.capture.plan import Plan, megabytes
from token_journey.commands.main import main
from token_journey.errors import CheckpointError, PackError


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("small"), num_hidden_layers=2)


def plan(folder: Path, **wishes: Any) -> Plan:
    return plan_for(Order(str(folder), **{"prompts": TEXTS, "streamed": True, **wishes}))


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u2003"])
@pytest.mark.parametrize("beside", [{}, TEXTS])
def test_an_empty_prompt(text: str, beside: dict[str, str], small: Path) -> None:
    with pytest.raises(CheckpointError, match=r"^Prompt p is empty: give it some text\.$"):
        plan(small, prompts={**beside, "p": text})


@pytest.mark.parametrize("text", ["a", " a ", ".", "🎶", "</s>"])
def test_a_prompt_of_next_to_nothing(text: str, small: Path) -> None:
    assert plan(small, prompts={"p": text}).selection.prompts[0].ids


def test_an_empty_prompt_on_the_command_line(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["capture", str(small), "--prompt", "", "--dry-run"]) == 1
    assert capsys.readouterr().err == "token-journey: Prompt p1 is empty: give it some text.\n"


# -- memory -----------------------------------------------------------------------------------


def test_memory_grows_with_the_square_of_a_long_prompt(small: Path) -> None:
    one, two, four = (
        plan(small, prompts={"p": "la mar " * count}).memory for count in (200, 400, 800)
    )
    assert 3 < (four - two) / (two - one) < 4.2


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("free", "fits"), [(10**5, False), (10**9, True)])
def test_too_little_memory(
    free: int, fits: bool, streamed: bool, small: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr("token_journey.capture.plan.free_memory", lambda: free)
    order = Order(str(small), TEXTS, streamed=streamed, layers=(0,))
    made = plan_for(order)
    if fits:
        capture(order, made, tmp_path / "pack")
        return
    with pytest.raises(CheckpointError) as caught:
        capture(order, made, tmp_path / "pack")
    told = str(caught.value)
    assert "0.1 MB are free: give shorter prompts, or fewer: one has" in told
    assert made.checkpoint.weights_read == 0 and not [*tmp_path.iterdir()]


def test_a_long_prompt_among_short_ones(small: Path, monkeypatch: Any) -> None:
    """Seven hundred times the same took 6.9 GB of memory on a tiny model."""
    made = plan(small, prompts={**TEXTS, "long": "els camins de la mar " * 700})
    monkeypatch.setattr("token_journey.capture.plan.free_memory", lambda: 4 * 10**9)
    with pytest.raises(CheckpointError, match=r"4,000\.0 MB are free: .*: long has [\d,]+ tokens"):
        made.refuse_too_much()
    plan(small).refuse_too_much()


def test_a_dry_run_says_it_and_does_not_refuse(
    small: Path, monkeypatch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("token_journey.capture.plan.free_memory", lambda: 0)
    given = ["capture", str(small), "--stream", "--prompt", "la mar"]
    assert main([*given, "--dry-run"]) == 0
    assert re.search(r"memory +[\d,.]+ MB", capsys.readouterr().out)
    assert main(given) == 1
    assert capsys.readouterr().err.count("\n") == 1


# -- the disk ---------------------------------------------------------------------------------


@pytest.mark.parametrize("sliced", [False, True])
def test_a_disk_without_room(sliced: bool, small: Path, tmp_path: Path, monkeypatch: Any) -> None:
    """It is said before a weight is read, by the command that would read for hours."""
    order = Order(str(small), TEXTS, streamed=True, sliced=sliced)
    made = plan_for(order)
    disk = SimpleNamespace(free=made.disk_bytes - 1)
    monkeypatch.setattr("token_journey.capture.plan.disk_usage", lambda folder: disk)
    with pytest.raises(PackError, match=r"MB free: make room, or choose another place with --out"):
        capture(order, made, tmp_path / "not there yet" / "pack")
    assert made.checkpoint.weights_read == 0 and not [*tmp_path.iterdir()]
    disk.free += 1
    capture(order, made, tmp_path / "pack")


def test_what_is_there_already_needs_no_room(small: Path, tmp_path: Path, monkeypatch: Any) -> None:
    made = plan(small)
    (tmp_path / "half").write_bytes(bytes(1000))
    disk = SimpleNamespace(free=made.disk_bytes - 1000)
    monkeypatch.setattr("token_journey.capture.plan.disk_usage", lambda folder: disk)
    made.refuse_a_full_disk(tmp_path / "pack", tmp_path)
    disk.free -= 1
    with pytest.raises(PackError):
        made.refuse_a_full_disk(tmp_path / "pack", tmp_path)


# -- time ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("a_second", "fits"), [(10**10, True), (10, False)])
def test_days(a_second: int, fits: bool, small: Path, monkeypatch: Any) -> None:
    made = plan(small)
    monkeypatch.setattr("token_journey.capture.plan._A_SECOND", a_second)
    if fits:
        return made.refuse_too_much()
    with pytest.raises(CheckpointError, match=r"compute for about \d+ days: give shorter"):
        made.refuse_too_much()


# -- the tokenizer ---------------------------------------------------------------------------------


@pytest.mark.parametrize("streamed", [False, True])
def test_the_tokenizer_is_counted(
    streamed: bool, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weighs = (small / "tokenizer.json").stat().st_size
    given = ["capture", str(small), "--prompt", "la mar", "--dry-run"]
    assert main([*given, "--stream"] if streamed else given) == 0
    told = capsys.readouterr().out
    assert re.search(rf"{re.escape(megabytes(weighs))}  the tokenizer", told)
    parts = re.findall(r"^ {10} *([\d,.]+) MB", told.partition("memory")[0], re.MULTILINE)
    whole = re.search(r"reads +([\d,.]+) MB", told)
    assert whole and float(whole[1]) == pytest.approx(sum(map(float, parts)), abs=0.05 * len(parts))
