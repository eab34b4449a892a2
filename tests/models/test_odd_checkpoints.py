"""Checkpoints on both sides of each line: taken as transformers takes them, or refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import captured, make
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoModelForCausalLM

from token_journey.errors import CheckpointError
from token_journey.models.checkpoint import INDEX, SINGLE, Checkpoint
from token_journey.models.source import open_source

HEAD, EMBEDDING, NORM = "lm_head.weight", "model.embed_tokens.weight", "model.norm.weight"
Changed = Callable[[dict[str, Tensor]], object]


def rewrite(folder: Path, change: Changed) -> None:
    """Change the weights of a checkpoint in one file."""
    weights = load_file(folder / SINGLE)
    change(weights)
    save_file({k: w.contiguous() for k, w in weights.items()}, folder / SINGLE)


def describe(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def refused(folder: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        print(len(Checkpoint(open_source(str(folder))).tensors))
    message = str(caught.value)
    assert "\n" not in message and message.endswith(".") and len(message) < 300
    return message


# -- what is taken ------------------------------------------------------------------------


def another_head(weights: dict[str, Tensor]) -> None:
    weights[HEAD] = torch.randn(590, 48, generator=torch.Generator().manual_seed(3)).bfloat16()


def same_head(weights: dict[str, Tensor]) -> None:
    weights[HEAD] = weights[EMBEDDING].clone()


def one_number_apart(weights: dict[str, Tensor]) -> None:
    same_head(weights)
    weights[HEAD][589, 47] += 8


def what_older_ones_left(weights: dict[str, Tensor]) -> None:
    weights["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.ones(4)


TAKEN: dict[str, tuple[dict[str, Any], Changed, bool]] = {
    "tied": ({"tie_word_embeddings": True}, lambda w: None, True),
    "tied, and another head": ({"tie_word_embeddings": True}, another_head, False),
    "tied, and the same head": ({"tie_word_embeddings": True}, same_head, False),
    "tied, and one number apart": ({"tie_word_embeddings": True}, one_number_apart, False),
    "tied, and a head in float32": (
        {"tie_word_embeddings": True},
        lambda w: w.update({HEAD: torch.full((590, 48), 1 / 3)}),
        False,
    ),
    "untied, and the same head": ({}, same_head, False),
    "frequencies beside": ({}, what_older_ones_left, False),
    "a norm in float32": ({}, lambda w: w.update({NORM: w[NORM].float() / 3}), False),
    "a bias that config.json has not": (
        {},
        lambda w: w.update({"model.layers.0.mlp.up_proj.bias": torch.ones(96)}),
        False,
    ),
}


@pytest.mark.parametrize("kind", TAKEN)
def test_whole_and_streamed_are_transformers(kind: str, tmp_path: Path) -> None:
    wishes, change, tied = TAKEN[kind]
    folder = make(tmp_path / "model", num_hidden_layers=1, **wishes)
    rewrite(folder, change)
    untyped: Any = AutoModelForCausalLM
    model = untyped.from_pretrained(folder, dtype=torch.float32)
    for streamed in (False, True):
        pack, _ = captured(folder, tmp_path / f"pack {streamed}", streamed=streamed, layers="all")
        assert pack.config.tie_word_embeddings is tied
        assert pack.has_weight(HEAD) is not tied
        for name, prompt in pack.prompts.items():
            with torch.no_grad():
                expected = model(torch.tensor([prompt.ids])).logits[0]
            allowed = pack.activation_entry(name, "logits").end_to_end
            assert (pack.activation(name, "logits") - expected).abs().max().item() <= allowed


def test_a_head_of_its_own_in_shards(tmp_path: Path) -> None:
    folder = make(tmp_path / "model", num_hidden_layers=1, shard="60KB")
    describe(folder, tie_word_embeddings=True)
    assert not Checkpoint(open_source(str(folder))).family.shape.tie_word_embeddings


# -- what is refused ----------------------------------------------------------------------


def without(*names: str) -> Changed:
    return lambda weights: [weights.pop(name) for name in names]


def renamed(end: str, *more: str) -> Changed:
    """Matrices as a tool's own: one under another name, and what stands beside it."""

    def change(weights: dict[str, Tensor]) -> None:
        whole = "model.layers.0.mlp.up_proj"
        weights[f"{whole}.{end}"] = weights.pop(f"{whole}.weight")
        weights.update({f"{whole}.{name}": torch.ones(1) for name in more})

    return change


REFUSED: dict[str, tuple[dict[str, Any], Changed, str]] = {
    "no head": ({}, without(HEAD), "lm_head.weight is missing: config.json says"),
    "tied, and a short head": (
        {"tie_word_embeddings": True},
        lambda w: w.update({HEAD: torch.ones(3, 48)}),
        "lm_head.weight has shape (3, 48)",
    ),
    "tied, and a head alone": (
        {"tie_word_embeddings": True},
        lambda w: w.update({HEAD: w.pop(EMBEDDING)}),
        "model.embed_tokens.weight is not in",
    ),
    "a layer more": (
        {},
        lambda w: w.update({"model.layers.1.mlp.up_proj.weight": torch.ones(96, 48)}),
        "num_hidden_layers = 1, and the files hold a layer 1",
    ),
    "many layers more": (
        {},
        lambda w: w.update({"model.layers.77.input_layernorm.weight": torch.ones(48)}),
        "hold a layer 77",
    ),
    "a norm too few": ({}, without(NORM), "model.norm.weight is not in"),
    "GPTQ": ({}, renamed("qweight", "qzeros", "scales", "g_idx"), "quantised (GPTQ)"),
    "AWQ": ({}, renamed("qweight", "qzeros", "scales"), "quantised (GPTQ or AWQ)"),
    "MLX": ({}, renamed("weight", "scales", "biases"), "quantised (MLX)"),
    "bitsandbytes, 4": ({}, renamed("weight", "weight.absmax"), "quantised (bitsandbytes)"),
    "bitsandbytes, 8": ({}, renamed("weight", "SCB"), "quantised (bitsandbytes)"),
    "packed": ({}, renamed("weight_packed", "weight_scale"), "quantised (compressed-tensors)"),
    "FP8": ({}, renamed("weight", "weight_scale_inv"), "quantised (FP8)"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_one_sentence_says_why(kind: str, tmp_path: Path) -> None:
    wishes, change, said = REFUSED[kind]
    folder = make(tmp_path / "model", num_hidden_layers=1, **wishes)
    rewrite(folder, change)
    assert said in refused(folder)


@pytest.mark.parametrize("layers", [1, 2])
def test_fewer_layers_than_the_files_have(layers: int, tmp_path: Path) -> None:
    folder = make(tmp_path / "model", shard="60KB")
    assert len(Checkpoint(open_source(str(folder))).tensors) == 3 + 3 * 9
    describe(folder, num_hidden_layers=layers)
    assert f"num_hidden_layers = {layers}, and the files hold a layer 2" in refused(folder)


def test_no_head_in_shards(tmp_path: Path) -> None:
    folder = make(tmp_path / "model", tie_word_embeddings=True, shard="60KB")
    describe(folder, tie_word_embeddings=False)
    assert "lm_head.weight is missing" in refused(folder)


def test_a_weight_in_two_shards(tmp_path: Path) -> None:
    """transformers takes the one of the file that it reads last."""
    folder = make(tmp_path / "model", shard="60KB")
    lies_in = json.loads((folder / INDEX).read_text())["weight_map"]
    other = next(file for file in sorted({*lies_in.values()}) if file != lies_in[NORM])
    save_file({**load_file(folder / other), NORM: torch.zeros(48)}, folder / other)
    assert "model.norm.weight stands in more than one file" in refused(folder)


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, "(GPTQ, 4 bits)"),
        ({"quantization_config": {"quant_method": "awq", "bits": 4}}, "(AWQ, 4 bits)"),
        (
            {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}},
            "(bitsandbytes, 4 bits)",
        ),
        ({"quantization_config": {"load_in_8bit": True}}, "(bitsandbytes, 8 bits)"),
        ({"quantization_config": {"quant_method": "fp8"}}, "(FP8)"),
        ({"quantization": {"group_size": 64, "bits": 4}}, "(MLX, 4 bits)"),
        (
            {
                "quantization": {"group_size": 64, "bits": 8},
                "quantization_config": {"group_size": 64, "bits": 8},
            },
            "(MLX, 8 bits)",
        ),
        ({"quantization_config": {"quant_method": "new\none", "bits": "few"}}, r"('new\none')"),
        ({"quantization_config": {}}, "is quantised, and"),
        ({"quantization_config": "yes"}, "is quantised, and"),
    ],
)
def test_quantised_as_config_json_says(about: dict[str, Any], said: str, tmp_path: Path) -> None:
    folder = make(tmp_path / "model", num_hidden_layers=1)
    describe(folder, **about)
    (folder / SINGLE).write_bytes(b"not even a header")
    assert said in refused(folder)


def test_no_word_of_it_is_none(tmp_path: Path) -> None:
    folder = make(tmp_path / "model", num_hidden_layers=1)
    describe(folder, quantization_config=None, quantization=None)
    assert Checkpoint(open_source(str(folder))).tensors


# -- how JSON is written ----------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1"])
@pytest.mark.parametrize("name", ["config.json", INDEX])
def test_json_that_is_not_plain_utf8(name: str, encoding: str, tmp_path: Path) -> None:
    folder = make(tmp_path / "model", num_hidden_layers=1, shard="60KB")
    text = json.dumps(json.loads((folder / name).read_text()) | {"by": "l'à"}, ensure_ascii=False)
    (folder / name).write_text(text, encoding="utf-8")
    assert Checkpoint(open_source(str(folder))).tensors
    (folder / name).write_text(text, encoding=encoding)
    said = refused(folder)
    assert f"{name} is no JSON that can be read" in said
    assert ("byte order mark" in said) is (encoding == "utf-8-sig")
