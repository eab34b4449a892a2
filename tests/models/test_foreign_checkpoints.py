"""Checkpoints that are not what they say: each is refused with one sentence, before weights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import captured, make, same
from safetensors.torch import load_file, save_file

from token_journey.commands.main import main
from token_journey.errors import CheckpointError
from token_journey.models.checkpoint import Checkpoint
from token_journey.models.source import open_source
from token_journey.models.tokenizer import tokenized

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("sound"), num_hidden_layers=1)


@pytest.fixture(scope="module")
def sharded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("sharded"), num_hidden_layers=1, shard="60KB")


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "model"))


@pytest.fixture
def shards(sharded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sharded, tmp_path / "model"))


def refused(folder: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        checkpoint = Checkpoint(open_source(str(folder)))
        for name in checkpoint.tensors:
            checkpoint.tensor(name)
    message = str(caught.value)
    assert "\n" not in message and message.endswith(".") and len(message) < 400
    return message


def describe(folder: Path, **changes: Any) -> None:
    """Change config.json; None takes a key out."""
    path = folder / "config.json"
    described = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({k: v for k, v in described.items() if v is not None}))


def rewrite_header(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change what a safetensors file says of itself, and leave its numbers."""
    content = (folder / WEIGHTS).read_bytes()
    length = int.from_bytes(content[:8], "little")
    described = json.loads(content[8 : 8 + length])
    changed = change(described)
    text = json.dumps(described if changed is None else changed).encode()
    whole = len(text).to_bytes(8, "little") + text + content[8 + length :]
    (folder / WEIGHTS).write_bytes(whole)


def first(described: dict[str, Any], which: int = 0) -> dict[str, Any]:
    names = [name for name in described if name != "__metadata__"]
    found: dict[str, Any] = described[
        sorted(names, key=lambda n: described[n]["data_offsets"])[which]
    ]
    return found


# -- what is not supported ------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"architectures": ["MixtralForCausalLM"], "model_type": "mixtral"}, "MixtralForCausalLM"),
        ({"architectures": ["MistralForCausalLM"], "model_type": "mistral"}, "MistralForCausalLM"),
        ({"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2"}, "GPT2LMHeadModel"),
        ({"architectures": ["LlamaForCausalLM; import os"]}, "import os"),
        ({"architectures": None}, "without a name"),
        ({"model_type": "mixtral"}, "mixtral"),
        ({"auto_map": {"AutoModelForCausalLM": "modeling.Evil"}}, "auto_map"),
        ({"quantization_config": {"quant_method": "gptq"}}, "quantised"),
        ({"transformers_weights": "other.safetensors"}, "a name of their own"),
        ({"hidden_act": "gelu"}, "gelu"),
        ({"rope_parameters": None, "rope_scaling": {"type": "yarn", "factor": 2.0}}, "yarn"),
        (
            {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4}},
            "dynamic",
        ),
        (
            {
                "architectures": ["Qwen2ForCausalLM"],
                **{"model_type": "qwen2", "use_sliding_window": True, "max_window_layers": 0},
            },
            "sliding window",
        ),
        ({"num_key_value_heads": 4}, "6 query heads on 4"),
        ({"head_dim": 7}, "even rotary dimension"),
        ({"num_hidden_layers": 9_999}, "is not in"),
        ({"num_hidden_layers": 10**8}, "num_hidden_layers = 100000000"),
        ({"num_hidden_layers": -1}, "num_hidden_layers = -1"),
        ({"hidden_size": 2**40}, "hidden_size"),
        ({"hidden_size": "48"}, "hidden_size = '48'"),
        ({"vocab_size": 10**9}, "config.json asks for"),
        ({"rms_norm_eps": float("nan")}, "rms_norm_eps"),
        ({"rope_parameters": {"rope_type": "default", "rope_theta": float("inf")}}, "rope_theta"),
        ({"rope_parameters": [1]}, "no table"),
        ({"rope_parameters": {"rope_type": "llama3", "rope_theta": 1e4}}, "Missing required"),
        ({"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": "x"}}, "RoPE"),
        ({"rope_parameters": {"rope_type": "default", "rope_theta": "big"}}, "RoPE"),
        ({"rope_parameters": {"rope_type": "default", "rope_theta": 0}}, "RoPE"),
        ({"tie_word_embeddings": "maybe"}, "transformers refuses"),
    ],
)
def test_what_is_not_supported(folder: Path, changes: dict[str, Any], named: str) -> None:
    describe(folder, **changes)
    assert named in refused(folder)


def test_it_is_refused_before_weights_are_read(folder: Path) -> None:
    describe(folder, architectures=["MixtralForCausalLM"], model_type="mixtral")
    (folder / WEIGHTS).write_bytes(b"not even a header")
    assert "Mixtral" in refused(folder)


def test_a_pickle(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder / "pytorch_model.bin")
    (folder / "config.json").write_text("not read either")
    assert "pytorch_model.bin is a pickle" in refused(folder)


def test_a_pickle_beside_safetensors_is_left_alone(folder: Path, tmp_path: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04 never opened")
    captured(folder, tmp_path / "pack", streamed=True)
    captured(folder, tmp_path / "pack")


@pytest.mark.parametrize("missing", ["config.json", "tokenizer.json", WEIGHTS])
def test_missing_files(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    assert missing in refused(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": 1, "a": 2}', b"[" * 10**5, b"\xff"])
def test_no_json(folder: Path, content: bytes) -> None:
    (folder / "config.json").write_bytes(content)
    assert "config.json" in refused(folder)


def test_a_description_of_a_gigabyte(folder: Path) -> None:
    with (folder / "config.json").open("wb") as stream:
        stream.truncate(2**30)
    assert "1,073,741,824 bytes long" in refused(folder)


# -- headers -------------------------------------------------------------------------


def overlapping(described: dict[str, Any]) -> None:
    """Two tensors over the same bytes, and something after them that fills the file."""
    end = first(described, 0)["data_offsets"][1]
    other = first(described, 1)
    size = other["data_offsets"][1] - other["data_offsets"][0]
    other["data_offsets"] = [end - 8, end - 8 + size]


HEADERS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "overlap": (overlapping, "overlaps"),
    "hole": (lambda d: d.pop("model.layers.0.mlp.up_proj.weight") and None, "hole"),
    "beyond the file": (
        lambda d: first(d, -1).update(
            shape=[10**6, 48], data_offsets=[first(d, -1)["data_offsets"][0], 10**9]
        ),
        "bytes",
    ),
    "offsets backwards": (
        lambda d: first(d).update(data_offsets=first(d)["data_offsets"][::-1]),
        "wrongly",
    ),
    "negative offsets": (lambda d: first(d).update(data_offsets=[-8, 8]), "wrongly"),
    "fractions": (lambda d: first(d).update(shape=[1.5]), "wrongly"),
    "true as a size": (lambda d: first(d).update(shape=[True]), "wrongly"),
    "no offsets": (lambda d: first(d).pop("data_offsets") and None, "wrongly"),
    "one offset": (lambda d: first(d).update(data_offsets=[0]), "wrongly"),
    "shape that does not fit": (lambda d: first(d).update(shape=[3, 3]), "shape"),
    "a size beyond counting": (lambda d: first(d).update(shape=[2**61, 2**61]), "bytes"),
    "unknown numbers": (lambda d: first(d).update(dtype="F4096"), "F4096"),
    "numbers as a list": (lambda d: first(d).update(dtype=[]), "dtype"),
    "a list": (lambda d: [], "no table"),
    "an entry that is none": (lambda d: d.update({"x": 3}), "wrongly"),
}


@pytest.mark.parametrize("kind", HEADERS)
def test_headers(folder: Path, kind: str) -> None:
    change, named = HEADERS[kind]
    rewrite_header(folder, change)
    assert named in refused(folder)


@pytest.mark.parametrize("claimed", [2**62, 2**40, 10**9])
def test_a_header_of_gigabytes(folder: Path, claimed: int) -> None:
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(claimed.to_bytes(8, "little") + content[8:])
    assert f"{claimed:,}" in refused(folder)


def test_a_long_header_of_a_long_file(folder: Path) -> None:
    """A file of a gigabyte could hold the header that it claims; nobody has one."""
    with (folder / WEIGHTS).open("wb") as stream:
        stream.write((900_000_000).to_bytes(8, "little"))
        stream.truncate(2**30)
    assert "900,000,000" in refused(folder)


@pytest.mark.parametrize("kept", [0, 5, 8, 100, -1])
def test_files_that_end_early(folder: Path, kept: int) -> None:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:kept])
    assert WEIGHTS in refused(folder)


def test_files_that_go_on(folder: Path) -> None:
    with (folder / WEIGHTS).open("ab") as stream:
        stream.write(b"more")
    assert "bytes long" in refused(folder)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_no_numbers(folder: Path, number: float) -> None:
    weights = load_file(folder / WEIGHTS)
    weights["model.layers.0.mlp.up_proj.weight"][3, 4] = number
    save_file(weights, folder / WEIGHTS)
    assert "up_proj.weight in model.safetensors holds NaN or infinity" in refused(folder)


def test_whole_numbers_for_weights(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    weights["model.norm.weight"] = torch.ones(48, dtype=torch.int64)
    save_file(weights, folder / WEIGHTS)
    assert "stored as I64" in refused(folder)


def test_a_weight_too_few(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    del weights["model.norm.weight"]
    save_file(weights, folder / WEIGHTS)
    assert "model.norm.weight is not in" in refused(folder)


# -- names of files -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *("../model.safetensors", "/etc/passwd", "..", "", "a/b.safetensors", "a\\b.safetensors"),
        *("pytorch_model.bin", ".hidden.safetensors", "x\0.safetensors", 7, None, []),
    ],
)
def test_an_index_that_leads_elsewhere(shards: Path, name: Any) -> None:
    index = json.loads((shards / INDEX).read_text())
    index["weight_map"]["model.norm.weight"] = name
    (shards / INDEX).write_text(json.dumps(index))
    assert "no safetensors file beside it" in refused(shards)


@pytest.mark.parametrize("content", ["[]", "{}", '{"weight_map": []}'])
def test_an_index_that_is_none(shards: Path, content: str) -> None:
    (shards / INDEX).write_text(content)
    assert "weight_map" in refused(shards)


def test_a_shard_that_is_not_there(shards: Path) -> None:
    gone = sorted(shards.glob("*.safetensors"))[0]
    gone.unlink()
    assert gone.name in refused(shards)


def test_a_weight_in_the_wrong_shard(shards: Path) -> None:
    index = json.loads((shards / INDEX).read_text())
    files = sorted({*index["weight_map"].values()})
    here = index["weight_map"]["model.norm.weight"]
    index["weight_map"]["model.norm.weight"] = next(file for file in files if file != here)
    (shards / INDEX).write_text(json.dumps(index))
    assert "model.norm.weight is not in" in refused(shards)


def test_one_file_beside_shards(shards: Path, tmp_path: Path) -> None:
    """transformers reads the one file; what is streamed is the same."""
    other = make(tmp_path / "other", num_hidden_layers=1, seed=2)
    shutil.copy(other / WEIGHTS, shards / WEIGHTS)
    streamed, _ = captured(shards, tmp_path / "streamed", streamed=True)
    whole, _ = captured(shards, tmp_path / "whole")
    same(streamed, whole)
    same(streamed, captured(other, tmp_path / "expected", streamed=True)[0])


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", WEIGHTS])
def test_links_that_lead_out(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / name).rename(tmp_path / name)
    (folder / name).symlink_to(tmp_path / name)
    assert "leads out of" in refused(folder)


def test_links_of_the_hubs_own_cache(folder: Path, tmp_path: Path) -> None:
    """There every file is a link to ../../blobs."""
    snapshot = tmp_path / "models--someone--small" / "snapshots" / "c0ffee"
    blobs = snapshot.parent.parent / "blobs"
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    for path in folder.iterdir():
        path.rename(blobs / f"hash-of-{path.name}")
        (snapshot / path.name).symlink_to(Path("../../blobs") / f"hash-of-{path.name}")
    checkpoint = Checkpoint(open_source(str(snapshot)))
    assert checkpoint.source.origin["id"] == "someone/small"
    assert checkpoint.source.origin["revision"] == "c0ffee"


# -- tokenizers -----------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b'{"model": {"type": "BPE"}}'])
def test_no_tokenizer(folder: Path, content: bytes, tmp_path: Path) -> None:
    (folder / "tokenizer.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"tokenizer\.json"):
        captured(folder, tmp_path / "pack", streamed=True)


def test_a_tokenizer_of_another_model(folder: Path, tmp_path: Path) -> None:
    """Ids beyond the vocabulary would be other tokens' rows, or none."""
    described = json.loads((folder / "tokenizer.json").read_text())
    described["model"]["vocab"] = {t: i + 500 for t, i in described["model"]["vocab"].items()}
    (folder / "tokenizer.json").write_text(json.dumps(described))
    with pytest.raises(CheckpointError, match="don't belong together"):
        captured(folder, tmp_path / "pack", streamed=True)


def test_merges_by_chance(folder: Path) -> None:
    described = json.loads((folder / "tokenizer.json").read_text())
    described["model"]["dropout"] = 0.1
    with pytest.raises(CheckpointError, match="dropout"):
        tokenized(json.dumps(described).encode(), {"p": "la mar"})


def test_a_text_that_merging_does_not_explain(folder: Path) -> None:
    """A special token in the text: there are ids, and no words to make them of."""
    content = (folder / "tokenizer.json").read_bytes()
    plain, special = tokenized(content, {"one": "la mar", "two": "la </s> mar"}).prompts
    assert plain.words
    assert 2 in special.ids and special.words == ()


# -- what a user may type -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["nowhere", "--prompt", "x"], "neither a folder"),
        (["../../etc/passwd", "--prompt", "x"], "neither a folder"),
        (["{}"], "no prompt"),
        (["{}", "--prompt", "x", "--layers", "9"], "no layer 9"),
        (["{}", "--prompt", "x", "--layers", "-1"], "no layer -1"),
        (["{}", "--prompt", "x", "--layers", "first"], "--layers takes numbers"),
        (["{}", "--prompts", "/nowhere"], "can't be read"),
        (["{}", "--prompt", "x", "--revision", "main"], "without revisions"),
        (["http://127.0.0.1:1", "--prompt", "x", "--stream"], "can't be reached"),
    ],
)
def test_one_sentence_each(
    folder: Path, arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["capture", *(argument.format(folder) for argument in arguments)]) == 1
    said = capsys.readouterr().err
    assert named in said and said.count("\n") == 1


def test_without_network_the_hub_is_said_to_be_out_of_reach(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from huggingface_hub import HfApi

    def unreachable(*_: Any, **__: Any) -> None:
        raise OSError("Name or service not known\nwith more lines")

    monkeypatch.setattr(HfApi, "model_info", unreachable)
    assert main(["capture", "someone/small", "--prompt", "x", "--dry-run"]) == 1
    said = capsys.readouterr().err
    assert "Name or service not known" in said and said.count("\n") == 1
