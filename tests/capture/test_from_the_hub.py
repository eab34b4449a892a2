"""From a repository's name on the hub to a pack; a server on loopback stands for the hub.

huggingface_hub reads its settings as it is imported, so each capture is a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from checkpoints import COMMIT, TEXTS, WEIGHTS, Server, captured, make, same, served

from token_journey.models.source import PINNED
from token_journey.packs.pack import Pack

pytestmark = pytest.mark.slow

NAME = "someone/small"
SECRET = "hf_nobody_may_read_this"
# huggingface_hub tries a broken connection again and again; the waits between are left out.
IMPATIENT = "import time; time.sleep = lambda _: None"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("small"))


def header_bytes(folder: Path) -> int:
    """What has to be read to know where each weight lies."""
    with (folder / WEIGHTS).open("rb") as file:
        return 8 + int.from_bytes(file.read(8), "little")


def capture(hub: Server, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `token-journey capture` with a token and an empty cache; what it writes is looked at."""
    started = f"{IMPATIENT}; from token_journey.commands.main import main; raise SystemExit(main())"
    run = subprocess.run(
        [sys.executable, "-c", started, "capture", *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={
            **os.environ,
            "HF_ENDPOINT": hub.address,
            "HF_HOME": str(tmp_path / "home"),
            "HF_TOKEN": SECRET,
        },
    )
    assert SECRET not in run.stdout + run.stderr
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path
    return run


def test_whole_and_streamed_agree(small: Path, tmp_path: Path) -> None:
    """Both are the folder's own; streamed reads nothing but what it needs."""
    wished = ("--layers", "0", "--prompt", TEXTS["one"])
    local, plan = captured(
        small, tmp_path / "local", streamed=True, layers=(0,), prompts={"p1": TEXTS["one"]}
    )
    with served(small) as hub:
        run = capture(hub, tmp_path, NAME, *wished, "--out", "streamed", "--stream")
        assert run.returncode == 0 and run.stderr == "", run.stderr  # no bar in a log
        assert hub.sent[WEIGHTS] == header_bytes(small) + sum(plan.reads.values())
        assert not list((tmp_path / "home").rglob(WEIGHTS))
        run = capture(hub, tmp_path, NAME, *wished, "--out", "whole")
        assert run.returncode == 0 and run.stderr == "", run.stderr
        assert list((tmp_path / "home").rglob(WEIGHTS))
        asked = {token for path, token in hub.asked.items() if NAME in path}
        assert asked == {f"Bearer {SECRET}"}
    whole, streamed = Pack(tmp_path / "whole"), Pack(tmp_path / "streamed")
    same(local, streamed)
    same(local, whole)
    for pack in (whole, streamed):
        assert pack.model["id"] == NAME and pack.model["revision"] == COMMIT


def test_aitana_is_pinned_to_its_commit(small: Path, tmp_path: Path) -> None:
    """Whatever its main branch is today, the published figures are of one commit."""
    name, commit = "gplsi/Aitana-2B-S", "6451cdb022d329cf575b2e7854f495af68d71812"
    assert PINNED[name] == commit
    with served(small) as hub:
        run = capture(hub, tmp_path, name, "--stream", "--prompt", "la mar", "--dry-run")
        assert run.returncode == 0, run.stderr
        asked = [path for path in hub.asked if name in path]
        assert asked and all(commit in path for path in asked)


@pytest.mark.parametrize(
    ("what", "refusal", "said"),
    [
        ("no_repository", (401, "RepoNotFound"), "check its name"),
        ("no_repository", (404, "RepoNotFound"), "check its name"),
        ("no_files", (401, "GatedRepo"), "ask for access"),
        ("no_files", (403, "GatedRepo"), "ask for access"),
    ],
)
def test_a_refusal_is_one_sentence(
    what: str, refusal: tuple[int, str], said: str, small: Path, tmp_path: Path
) -> None:
    """The hub describes a gated repository to anyone, and keeps its files back."""
    with served(small) as hub:
        setattr(hub, what, refusal)
        run = capture(hub, tmp_path, NAME, "--prompt", "la mar")
    assert run.returncode == 1 and run.stdout == ""
    assert run.stderr.startswith(f"token-journey: {NAME}") and run.stderr.count("\n") == 1
    assert said in run.stderr and "hf auth login" in run.stderr


def test_a_connection_that_breaks_is_taken_up_again(small: Path, tmp_path: Path) -> None:
    wishes = {"streamed": True, "prompts": {"p1": TEXTS["one"]}}
    straight, plan = captured(small, tmp_path / "straight", **wishes)
    asked_for = (NAME, "--stream", "--prompt", TEXTS["one"], "--out", "pack")
    with served(small) as hub:
        hub.breaks_at = sum(plan.reads.values()) // 2
        broken = capture(hub, tmp_path, *asked_for)
        assert broken.returncode == 1
        last = broken.stderr.splitlines()[-1]
        assert last.startswith("token-journey: ") and "goes on where it stopped" in last
        assert not (tmp_path / "pack").exists()
        hub.breaks_at, before = None, hub.sent[WEIGHTS]
        again = capture(hub, tmp_path, *asked_for)
        assert again.returncode == 0, again.stderr
        layer = plan.reads["layers 0 to 2"] // 3
        whole = header_bytes(small) + sum(plan.reads.values())
        assert hub.sent[WEIGHTS] - before <= whole - layer
    same(Pack(tmp_path / "pack"), straight)
