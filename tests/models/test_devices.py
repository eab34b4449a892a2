"""Where a whole model computes: what can be shown of GPUs and offloading, with or without a GPU."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from checkpoints import SMALL, TEXTS, captured, make, same
from torch.overrides import TorchFunctionMode
from transformers import LlamaConfig, LlamaForCausalLM

from token_journey.capture.measure import Ids, Measurement
from token_journey.errors import CheckpointError
from token_journey.models import in_memory as module
from token_journey.models.checkpoint import Checkpoint
from token_journey.models.in_memory import Loaded, loaded
from token_journey.models.source import open_source
from token_journey.packs.writer import Captured

needs_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="There is no GPU here.")
PROMPTS = {"one": Ids((1, 300, 301, 17)), "two": Ids((1, 20), start=3)}
Found = dict[str, dict[str, Captured]]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("small"))


def opened(folder: Path) -> Checkpoint:
    return Checkpoint(open_source(str(folder)))


def walked(parts: Loaded) -> Found:
    """Everything that a walk of two prompts finds, as a capture makes it."""
    found: Found = {name: {} for name in PROMPTS}
    for step in Measurement(parts, PROMPTS, twice=True).steps(parts.config.num_hidden_layers - 1):
        for name, activations in step.found.items():
            found[name] |= activations
    return found


def equal(one: Found, other: Found) -> None:
    """To the last bit, tolerances too."""
    for prompt, activations in one.items():
        assert activations.keys() == other[prompt].keys()
        for name, found in activations.items():
            there = other[prompt][name]
            assert torch.equal(found.value, there.value), name
            assert found.value.dtype == there.value.dtype == torch.float32, name
            assert found.tolerance == there.tolerance, name
            assert found.end_to_end == there.end_to_end, name


# -- on a GPU ------------------------------------------------------------------------------


@needs_a_gpu
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_on_a_gpu_it_agrees(dtype: torch.dtype, tmp_path: Path) -> None:
    folder = make(tmp_path / "model", dtype=dtype)
    on_gpu, _ = captured(folder, tmp_path / "gpu", device="cuda")
    on_cpu, _ = captured(folder, tmp_path / "cpu", device="cpu")
    same(on_cpu, on_gpu)
    about = on_gpu.manifest["captured"]
    assert about["gpu"] == torch.cuda.get_device_name(0)
    assert about["device"] == "cuda:0" and about["weights_on"] == ["cuda:0"]


@needs_a_gpu
def test_beside_a_gpu_it_agrees(small: Path) -> None:
    """The GPU holds a part, and is lent the rest from memory."""
    with loaded(opened(small), "cuda") as (parts, _, _):
        assert not torch.backends.cuda.matmul.allow_tf32
        on_gpu = walked(parts)
    with loaded(opened(small), "cuda", {0: "150KB", "cpu": "10GB"}) as (parts, _, about):
        assert about["weights_on"] == ["cpu", "cuda:0"] and about["device"] == "cuda:0"
        for prompt, activations in walked(parts).items():
            for name, found in activations.items():
                apart = (found.value - on_gpu[prompt][name].value).nan_to_num(0.0)
                assert apart.abs().max().item() <= found.end_to_end, name


@pytest.mark.skipif(torch.cuda.is_available(), reason="There is a GPU here.")
def test_without_a_gpu_it_says_so(small: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no GPU"):
        captured(small, tmp_path / "pack", device="cuda")


# -- without one ------------------------------------------------------------------------------


class _BackOnTheCpu(TorchFunctionMode):
    """What leaves torch's device meta for the CPU is zeros, and what it is asked for is so."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.Tensor.cpu and args[0].is_meta:
            return torch.zeros(args[0].shape, dtype=args[0].dtype)
        if func is torch.Tensor.__bool__ and args[0].is_meta:
            return True
        return func(*args, **(kwargs or {}))


def test_a_walk_mixes_no_devices() -> None:
    """On meta, as on a GPU, an operation refuses tensors that lie on the CPU."""
    with torch.device("meta"):
        model = LlamaForCausalLM(LlamaConfig(**SMALL)).to(torch.bfloat16)
    parts = Loaded(model)
    assert parts.device.type == "meta" and parts.steady
    walk = Measurement(parts, PROMPTS, candidates=3, twice=True)
    with _BackOnTheCpu():
        for step in walk.steps(SMALL["num_hidden_layers"] - 1):
            for activations in step.found.values():
                for name, found in activations.items():
                    assert found.value.device.type == "cpu", name
                    assert found.value.dtype == torch.float32, name
            for stream in walk.streams.values():
                assert stream.other is not None
                assert stream.single.dtype == stream.other.dtype == torch.float32
                assert stream.double.dtype == torch.float64
                devices = {x.device.type for x in (stream.single, stream.double, stream.other)}
                assert devices == {"cpu"}


GB = 10**9


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 6 GB and 1 GB free, beside 10 GB of memory."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda n: ([6 * GB, GB][n], 8 * GB))
    monkeypatch.setattr(module, "free_memory", lambda: 10 * GB)


def test_a_gpu_keeps_room_for_float64(two_gpus: None, small: Path) -> None:
    placed = module._placement(opened(small), on_gpu=True, max_memory=None, dtype=None)
    budget = placed["max_memory"]
    assert placed["device_map"] == "auto" and [*budget] == [0, 1, "cpu"]
    assert 4.9 * GB < budget[0] < 5 * GB and budget[1] == 0 and budget["cpu"] == 7 * GB


def test_the_cpu_is_the_cpu_alone(
    two_gpus: None, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where the model has no room in memory, and whatever accelerate would find."""
    assert module._placement(opened(small), False, None, None) == {"device_map": {"": "cpu"}}
    monkeypatch.setattr(module, "free_memory", lambda: 100_000)
    placed = module._placement(opened(small), False, None, None)
    assert placed == {"device_map": "auto", "max_memory": {"cpu": 70_000}}
    with loaded(opened(small), "cpu") as (parts, _, about):
        assert "disk" in about["weights_on"] and {*about["weights_on"]} <= {"cpu", "disk"}
        assert about["device"] == "cpu" and "gpu" not in about
        offloaded = walked(parts)
    monkeypatch.undo()
    with loaded(opened(small), "cpu") as (parts, _, about):
        assert about["weights_on"] == ["cpu"]
        equal(walked(parts), offloaded)


def test_places_as_a_pack_names_them() -> None:
    one_gpu = SimpleNamespace(device=torch.device("cuda", 0))
    assert module._places(one_gpu) == ["cuda:0"]
    spread = {"model.embed_tokens": 0, "model.layers.0": 1, "lm_head": "cpu", "model.norm": "disk"}
    several = SimpleNamespace(device=torch.device("cuda", 0), hf_device_map=spread)
    assert module._places(several) == ["cpu", "cuda:0", "cuda:1", "disk"]


# -- weights at their own dtype ---------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_offloaded_agrees(dtype: torch.dtype, tmp_path: Path) -> None:
    """accelerate keeps layers on disk, and lends them as they are stored, whatever is computed."""
    folder, found = make(tmp_path / "model", dtype=dtype), []
    for limit in (None, {"cpu": "100KB"}):
        with loaded(opened(folder), "cpu", limit) as (parts, _, about):
            assert ("disk" in about["weights_on"]) is (limit is not None)
            assert parts.steady is (limit is None)
            found.append(walked(parts))
    equal(*found)


@pytest.mark.parametrize("stored", [torch.float32, torch.bfloat16])
def test_config_json_may_be_wrong_about_them(stored: torch.dtype, tmp_path: Path) -> None:
    """It says what the model was trained in, or was once; nothing may be rounded to it."""
    folder = make(tmp_path / "model", dtype=stored)
    described = json.loads((folder / "config.json").read_text())
    told = "bfloat16" if stored == torch.float32 else "float16"
    (folder / "config.json").write_text(json.dumps(described | {"dtype": told}))
    streamed, _ = captured(folder, tmp_path / "streamed", streamed=True)
    whole, _ = captured(folder, tmp_path / "whole")
    same(streamed, whole)
    assert whole.model["dtype"] == str(stored).removeprefix("torch.")


# -- what is said ---------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("way", ["--stream", "--device=cpu"])
def test_nothing_is_said_beside_the_plan(way: str, tmp_path: Path) -> None:
    """No warning of a library that a user could do nothing about."""
    folder = make(tmp_path / "model")
    settings = {"_from_model_config": True, "temperature": 0.6, "transformers_version": "4.42.4"}
    (folder / "generation_config.json").write_text(json.dumps(settings))
    command = [*("token_journey", "capture", str(folder), way), *("--prompt", TEXTS["one"])]
    command += ["--out", "pack"]
    run = subprocess.run(
        [sys.executable, "-W", "always", "-m", *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0 and run.stderr == ""
