"""Tokenizers as real Llamas have them: however they are written down, ids are transformers' own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from checkpoints import TEXTS, captured, make
from transformers import AutoTokenizer

from token_journey.commands.main import main

Described = dict[str, Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make(tmp_path / "model", num_hidden_layers=1)


def describe(folder: Path, settings: Described | None = None, **changes: Any) -> None:
    """Change tokenizer.json, and write tokenizer_config.json beside it."""
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    told = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(told | (settings or {})))


def ids_of(folder: Path, text: str) -> list[int]:
    """What transformers makes of a text."""
    untyped: Any = AutoTokenizer
    ids: list[int] = untyped.from_pretrained(folder)(text)["input_ids"]
    return ids


def metaspace(scheme: str) -> Described:
    return {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": False}


NORMALIZERS = [
    {"type": "Prepend", "prepend": "▁"},
    {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
]
WAYS: dict[str, Described] = {
    "a normaliser writes spaces": {
        "normalizer": {"type": "Sequence", "normalizers": NORMALIZERS},
        "pre_tokenizer": None,
    },
    "no space before the first word": {
        "normalizer": {"type": "Sequence", "normalizers": NORMALIZERS[1:]},
        "pre_tokenizer": None,
    },
    "a space before the first word": {"pre_tokenizer": metaspace("first")},
    "words stay together": {"pre_tokenizer": metaspace("never")},
}


@pytest.mark.parametrize("layers", [(0,), "all"])
@pytest.mark.parametrize("way", WAYS)
def test_however_spaces_are_written(way: str, layers: Any, folder: Path, tmp_path: Path) -> None:
    describe(folder, **WAYS[way])
    prompts = {**TEXTS, "bytes": "🎶 l'horta", "special": "la </s> mar", "spaces": "  dos  espais"}
    wishes: dict[str, Any] = {"streamed": True, "layers": layers, "prompts": prompts}
    pack, _ = captured(folder, tmp_path / "pack", **wishes)
    assert ids_of(pack.folder, TEXTS["one"])  # what is left of the tokenizer is one, too
    for name, prompt in pack.prompts.items():
        assert list(prompt.ids) == ids_of(folder, prompts[name])
        assert list(prompt.ids) == ids_of(pack.folder, prompts[name])
        assert bool(prompt.words) is (name != "special")


@pytest.mark.parametrize("layers", [(0,), "all"])
def test_merges_as_older_files_write_them(layers: Any, folder: Path, tmp_path: Path) -> None:
    """As one text, with a space between: "▁ t"."""
    model = json.loads((folder / "tokenizer.json").read_text())["model"]
    describe(folder, model={**model, "merges": [" ".join(pair) for pair in model["merges"]]})
    pack, _ = captured(folder, tmp_path / "pack", streamed=True, layers=layers)
    assert list(pack.prompts["one"].ids) == ids_of(folder, TEXTS["one"])
    assert pack.vocabulary.ranks and pack.prompts["one"].words


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("told", [None, True, False])
def test_the_begin_token_is_tokenizer_jsons(
    told: bool | None, own: bool, folder: Path, tmp_path: Path
) -> None:
    """Whatever tokenizer_config.json says beside it: transformers goes by tokenizer.json, too."""
    settings = {} if told is None else {"add_bos_token": told}
    describe(folder, settings, **({} if own else {"post_processor": None}))
    pack, _ = captured(folder, tmp_path / "pack", streamed=True, layers=(0,))
    assert list(pack.prompts["one"].ids) == ids_of(folder, TEXTS["one"])
    assert pack.begin_token == (1 if own else None) and pack.prompts["one"].words


def test_sentencepiece_alone_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "tokenizer.json").rename(folder / "tokenizer.model")
    assert main(["capture", str(folder), "--prompt", "x", "--out", str(tmp_path / "pack")]) == 1
    said = capsys.readouterr().err
    assert "There is no tokenizer.json: save the tokenizer" in said and said.count("\n") == 1
