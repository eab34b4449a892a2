"""The pack of Aitana-2B-S's published figures.

`figures.json` holds every number that a public notebook printed while it walked
the real model, transcribed; it lies in the pack's own folder and is, beside
`sampled_text.json`, its only source. Most tensors were printed in part, so what
is stored is that part, with the indices it stands at. Each number was printed
with four decimals.

Two mistakes of the notebook left records that are not the model's. They stay,
since a learner who makes the same mistake gets the same numbers, but apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from token_journey.errors import PackError
from token_journey.llama.config import ModelConfig
from token_journey.packs.manifest import PUBLISHED, Prompt
from token_journey.packs.writer import PackWriter

if TYPE_CHECKING:
    from torch import Tensor

PROMPT = "aco"
# Beside them, the beginning of the one continuation that was printed.
SAMPLED = "sampled_text.json"
# A number printed with four decimals stands for the true one within half a step.
PRINTED = 0.00005

# What the groups of records that are not the model's are called, here and in figures.json.
_APART = {
    "wrong_residual": "computed_from_the_wrong_residual",
    "second_final_norm": "computed_from_a_second_final_norm",
}


def build_pack(figures_json: Path) -> PackWriter:
    """Raises PackError where the figures are not there, or are not JSON."""
    content, figures = _read(figures_json)
    sampled_json = figures_json.with_name(SAMPLED)
    sampled_content, sampled = _read(sampled_json)
    pack = PackWriter(
        PUBLISHED,
        title="Aitana-2B-S (published figures)",
        config=_config(figures["model"]["config"]),
        model={
            "id": figures["model"]["id"],
            "revision": figures["model"]["revision"],
            "license": figures["model"]["license"],
            "source": _source(figures["source"]),
            "files_sha256": figures["model"]["files_sha256"],
            "parameters": figures["model"]["parameters"],
        },
        captured={
            "command": "a public notebook, its printed numbers transcribed",
            "device": "the CPU of a Google Colab GPU runtime",
            "dtype": "float32",
            "precision": figures["precision"],
        },
        index_lists=_index_lists(figures),
        more={
            "source": figures["source"],
            "vocabulary_facts": {
                "special_tokens": figures["special_tokens"],
                "last_entries": figures["last_vocabulary_entries"],
            },
            "sampled_text": sampled,
        },
    )
    pack.add_file("figures.json", content)
    pack.add_file(SAMPLED, sampled_content)
    for prompt in _prompts(figures):
        pack.add_prompt(prompt)
    for record in figures["activations"]:
        visible = _visible(record)
        name, values = record["name"], _values(record)
        pack.add_activation(PROMPT, name, values, PRINTED, PRINTED, visible)
    pack.add_alias(PROMPT, "blocks.0.resid_pre", "embed")
    for layer in range(1, figures["model"]["config"]["num_hidden_layers"]):
        pack.add_alias(PROMPT, f"blocks.{layer}.resid_pre", f"blocks.{layer - 1}.resid_post")
    for record in figures["weights"]:
        pack.add_weight(record["name"], _values(record), PRINTED, _visible(record))
    for group, key in _APART.items():
        apart = figures[key]
        pack.add_group_apart(group, **{k: v for k, v in apart.items() if k != "values"})
        for record in apart["values"]:
            name = record["name"].removesuffix(" applied twice")
            pack.add_apart(group, name, _values(record), PRINTED, _visible(record))
    return pack


def _read(path: Path) -> tuple[bytes, Any]:
    try:
        content = path.read_bytes()
        return content, json.loads(content)
    except (OSError, ValueError) as error:
        raise PackError(
            f"{path} can't be read ({error}): restore it with `git checkout packs`."
        ) from None


def _config(described: dict[str, Any]) -> ModelConfig:
    return ModelConfig(**{field.name: described[field.name] for field in fields(ModelConfig)})


def _source(source: dict[str, str]) -> str:
    return f"{source['repository']}, {source['file']} at commit {source['commit']}"


def _prompts(figures: dict[str, Any]) -> Iterator[Prompt]:
    walked, spelling = figures["prompt"], figures["spelling_prompt"]
    yield Prompt(PROMPT, walked["text"], walked["token_ids"], walked["pieces_shown"])
    pieces, ids = zip(*spelling["tokens"], strict=True)
    yield Prompt("spelling", spelling["text"], ids, pieces)


def _values(record: dict[str, Any]) -> Tensor:
    """The printed part of a record in float32; its "-inf" are texts, for JSON has no infinity."""
    import numpy
    import torch

    return torch.from_numpy(numpy.array(record["values"], dtype=numpy.float32))


def _index_lists(figures: dict[str, Any]) -> dict[str, list[int]]:
    """The indices that were printed, once for each length of an axis."""
    records = [*figures["activations"], *figures["weights"]]
    records += [record for key in _APART.values() for record in figures[key]["values"]]
    return {
        name: record["visible"][record["axes"][axis]]
        for record in records
        for axis, name in _visible(record).items()
    }


def _visible(record: dict[str, Any]) -> dict[int, str]:
    """Which of the index lists each axis is cut to: its first and last five, by its length."""
    axes = [record["axes"].index(axis) for axis in record.get("visible", {})]
    return {axis: f"ends of {record['shape'][axis]}" for axis in axes}
