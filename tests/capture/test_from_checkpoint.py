"""From a checkpoint to a pack: every way gives the same, and it is transformers' own."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import SMALL, TEXTS, captured, make, same, served
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, DynamicCache

from token_journey.capture.capture import Order, capture, plan_for
from token_journey.capture.measure import Ids, Measurement
from token_journey.capture.resume import Resumable
from token_journey.commands.main import main
from token_journey.errors import CheckpointError, PackError
from token_journey.models.checkpoint import Checkpoint
from token_journey.models.in_memory import loaded
from token_journey.models.source import open_source
from token_journey.packs.pack import Pack

pytestmark = pytest.mark.slow

VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "tied": {"tie_word_embeddings": True},
    "head_dim apart": {"head_dim": 14},
    "one key/value head": {"num_key_value_heads": 1},
    "llama3": {
        "rope_parameters": {
            **{"rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0},
            **{"low_freq_factor": 1.0, "high_freq_factor": 4.0},
            "original_max_position_embeddings": 64,
        }
    },
    "linear": {"rope_parameters": {"rope_type": "linear", "rope_theta": 500.0, "factor": 4.0}},
    "biases": {"attention_bias": True, "mlp_bias": True},
    "qwen2": {"kind": "qwen2", "head_dim": None},
    "sharded": {"shard": "60KB"},
    "float16": {"dtype": torch.float16},
    "float32": {"dtype": torch.float32},
    "one layer": {"num_hidden_layers": 1},
    "one head": {"num_attention_heads": 1, "num_key_value_heads": 1, "head_dim": 48},
    "heads of two": {"num_attention_heads": 24, "num_key_value_heads": 8, "head_dim": 2},
    "a narrow MLP": {"intermediate_size": 3},
    "a large epsilon": {"rms_norm_eps": 0.1},
    "a far base": {"rope_parameters": {"rope_type": "default", "rope_theta": 1e7}},
    "tied, with biases": {"tie_word_embeddings": True, "attention_bias": True},
    "tied, in shards": {"tie_word_embeddings": True, "shard": "60KB"},
    "qwen2, tied": {"kind": "qwen2", "head_dim": None, "tie_word_embeddings": True},
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("small"))


def model_of(folder: Path) -> Any:
    untyped: Any = AutoModelForCausalLM
    return untyped.from_pretrained(folder, dtype=torch.float32)


# -- transformers' own --------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_hidden_states_and_logits_are_transformers(variant: str, tmp_path: Path) -> None:
    folder = make(tmp_path / "model", **VARIANTS[variant])
    pack, _ = captured(folder, tmp_path / "pack", streamed=True, layers="all")
    model = model_of(folder)
    for name, prompt in pack.prompts.items():
        with torch.no_grad():
            peer = model(torch.tensor([prompt.ids]), output_hidden_states=True)
        last = len(peer.hidden_states) - 1
        expected = {f"blocks.{n}.resid_pre": x[0] for n, x in enumerate(peer.hidden_states[:-1])}
        expected |= {"ln_final.out": peer.hidden_states[last][0], "logits": peer.logits[0]}
        for activation, value in expected.items():
            allowed = pack.activation_entry(name, activation).end_to_end
            apart = (pack.activation(name, activation) - value).abs().max().item()
            assert apart <= allowed < 1e-3 * value.abs().max().item(), activation


@pytest.mark.parametrize("variant", ["plain", "biases", "qwen2", "llama3"])
def test_inside_of_a_layer_is_transformers(variant: str, tmp_path: Path) -> None:
    """Keys and values as transformers' own cache holds them, patterns as eager attention's."""
    folder = make(tmp_path / "model", **VARIANTS[variant])
    pack, _ = captured(folder, tmp_path / "pack", streamed=True)
    model = model_of(folder)
    model.set_attn_implementation("eager")
    for name, prompt in pack.prompts.items():
        cache = DynamicCache(config=model.config)
        with torch.no_grad():
            ids = torch.tensor([prompt.ids])
            peer = model(ids, cache=cache, output_attentions=True)
        for layer in range(SMALL["num_hidden_layers"]):
            expected = {
                "attn.rot_k": cache.layers[layer].keys[0],
                "attn.v": cache.layers[layer].values[0],
                "attn.pattern": peer.attentions[layer][0],
            }
            for activation, value in expected.items():
                full = f"blocks.{layer}.{activation}"
                allowed = pack.activation_entry(name, full).end_to_end
                assert (pack.activation(name, full) - value).abs().max().item() <= allowed, full


@pytest.mark.parametrize("variant", VARIANTS)
def test_whole_and_streamed_agree(variant: str, tmp_path: Path) -> None:
    folder = make(tmp_path / "model", **VARIANTS[variant])
    streamed, _ = captured(folder, tmp_path / "streamed", streamed=True)
    whole, _ = captured(folder, tmp_path / "whole")
    same(streamed, whole)
    about = whole.manifest["captured"]
    assert about["device"] == "cpu" and about["weights_on"] == ["cpu"] and about["seed"] == 0


# What older releases of transformers wrote, with all that stands beside it in real ones.
OLDER: dict[str, Any] = {
    **{"_name_or_path": "/scratch/run-7", "attention_bias": False, "attention_dropout": 0.0},
    **{"bos_token_id": 1, "eos_token_id": [2, 5], "head_dim": 8, "hidden_act": "silu"},
    **{"initializer_range": 0.02, "max_position_embeddings": 8192, "mlp_bias": False},
    **{"num_layers": 3, "pretraining_tp": 1, "rope_scaling": None, "rope_theta": 500.0},
    **{"tie_word_embeddings": False, "torch_dtype": "bfloat16", "use_cache": False},
    "transformers_version": "4.40.2",
}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        *({"head_dim": None}, {"rope_scaling": {"type": "linear", "factor": 4.0}}),
        {"torch_dtype": "float32"},
        *({"without": key} for key in ("head_dim", "rope_scaling", "torch_dtype")),
        *({"without": key} for key in ("tie_word_embeddings", "attention_bias", "mlp_bias")),
    ],
    ids=str,
)
def test_config_json_as_older_releases_wrote_it(changes: dict[str, Any], tmp_path: Path) -> None:
    rope = {"rope_type": "default", "rope_theta": 500.0}
    scaling = changes.get("rope_scaling")
    rope |= {"rope_type": "linear", "factor": scaling["factor"]} if scaling else {}
    folder = make(tmp_path / "model", rope_parameters=rope)
    today, _ = captured(folder, tmp_path / "today", streamed=True)
    described = json.loads((folder / "config.json").read_text())
    older = {key: described[key] for key in {*SMALL, "architectures", "model_type"} - {*OLDER}}
    older |= OLDER | {key: value for key, value in changes.items() if key != "without"}
    older.pop(changes.get("without", ""), None)
    (folder / "config.json").write_text(json.dumps(older))
    streamed, plan = captured(folder, tmp_path / "streamed", streamed=True)
    whole, _ = captured(folder, tmp_path / "whole")
    same(today, streamed)
    same(streamed, whole)
    assert today.config == streamed.config == plan.checkpoint.family.shape
    assert today.beyond == streamed.beyond


@pytest.mark.slow
@pytest.mark.exam
def test_smollm2_every_way(whole_smollm2: Path, tmp_path: Path) -> None:
    """The real SmolLM2 as a checkpoint: whole, offloaded, streamed, and over HTTP."""
    wishes: dict[str, Any] = {"prompts": {"capital": "The capital of France is"}}
    whole, _ = captured(whole_smollm2, tmp_path / "whole", **wishes)
    streamed, plan = captured(whole_smollm2, tmp_path / "streamed", streamed=True, **wishes)
    same(whole, streamed)
    with served(whole_smollm2) as server:
        remote, _ = captured(server.address, tmp_path / "remote", streamed=True, **wishes)
        header = 8 + int.from_bytes(
            (whole_smollm2 / "model.safetensors").read_bytes()[:8], "little"
        )
        sizes = server.sent["model.safetensors"] - header
    same(streamed, remote)
    # One byte more for each time that a file's size was asked for.
    assert sum(plan.reads.values()) <= sizes <= sum(plan.reads.values()) + 20
    best = int(streamed.activation("capital", "logits.last").argmax())
    assert streamed.vocabulary.id_to_bytes.get(best, b" Paris") == b" Paris"
    checkpoint = Checkpoint(open_source(str(whole_smollm2)))
    ids = Ids(streamed.prompts["capital"].ids)
    with loaded(checkpoint, "cpu", {"cpu": "100MB"}) as (parts, _, about):
        assert "disk" in about["weights_on"]
        for step in Measurement(parts, {"capital": ids}).steps(29):
            for name, found in step.found["capital"].items():
                if streamed.has_activation("capital", name):
                    entry = streamed.activation_entry("capital", name)
                    if entry.complete:
                        apart = found.value - streamed.activation("capital", name)
                        assert apart.nan_to_num(0.0).abs().max().item() <= entry.end_to_end, name


# -- what is read -----------------------------------------------------------------------


@pytest.mark.parametrize("layers", [(0,), (0, 2), (1,), "all"])
@pytest.mark.parametrize("tied", [False, True])
def test_a_plan_is_what_happens(
    layers: Any, tied: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make(tmp_path / "model", tie_word_embeddings=tied)
    order = Order(str(folder), TEXTS, layers=layers, streamed=True)
    plan = plan_for(order)
    assert plan.checkpoint.weights_read == 0
    on_disk: list[int] = []

    def weigh(resumable: Resumable) -> None:  # the pack is written, and what led to it is there
        places = (tmp_path / "pack", resumable.folder)
        on_disk.append(sum(file.stat().st_size for place in places for file in place.iterdir()))

    monkeypatch.setattr(Resumable, "remove", weigh)
    capture(order, plan, tmp_path / "pack")
    assert on_disk[0] == pytest.approx(plan.disk_bytes, rel=0.35)
    assert plan.checkpoint.weights_read == sum(plan.reads.values())
    weight = sum(path.stat().st_size for path in (tmp_path / "pack").iterdir())
    assert weight == pytest.approx(plan.pack_bytes, rel=0.35)
    stopped = layers in ((0,), (1,))
    assert Pack(tmp_path / "pack").has_activation("one", "logits") is not stopped


def test_a_dry_run_reads_and_writes_nothing(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "pack")
    assert main(["capture", str(small), "--prompt", "la mar", "--dry-run", "--out", out]) == 0
    said = capsys.readouterr().out
    assert "reads" in said and "memory" in said and "pack" in said
    assert list(tmp_path.iterdir()) == []


def test_from_a_web_server(small: Path, tmp_path: Path) -> None:
    local, _ = captured(small, tmp_path / "local", streamed=True, layers=(0,))
    with served(small) as server:
        remote, _ = captured(server.address, tmp_path / "remote", streamed=True, layers=(0,))
        assert {*server.asked.values()} == {None}
    same(local, remote)
    assert server.sent["model.safetensors"] < (small / "model.safetensors").stat().st_size / 2


def test_a_server_without_ranges_is_refused(small: Path, tmp_path: Path) -> None:
    with served(small, ranges=False) as server, pytest.raises(CheckpointError, match="byte ranges"):
        captured(server.address, tmp_path / "pack", streamed=True)


def test_a_web_server_is_for_streaming(small: Path, tmp_path: Path) -> None:
    with served(small) as server, pytest.raises(CheckpointError, match="add --stream"):
        captured(server.address, tmp_path / "pack")


# -- interrupted --------------------------------------------------------------------------


class Stopped(Exception):
    pass


def stop_at(monkeypatch: pytest.MonkeyPatch, layer: int) -> None:
    """Break off as soon as a layer is to be read."""
    whole = Checkpoint.tensor

    def tensor(self: Checkpoint, name: str) -> Any:
        if name.startswith(f"model.layers.{layer}."):
            raise Stopped
        return whole(self, name)

    monkeypatch.setattr(Checkpoint, "tensor", tensor)


def test_it_goes_on_after_the_last_finished_layer(small: Path, tmp_path: Path) -> None:
    straight, _ = captured(small, tmp_path / "straight", streamed=True, layers=(0, 2))
    order = Order(str(small), TEXTS, layers=(0, 2), streamed=True)
    with pytest.MonkeyPatch.context() as patched, pytest.raises(Stopped):
        stop_at(patched, 2)
        capture(order, plan_for(order), tmp_path / "pack")
    assert not (tmp_path / "pack").exists()
    plan = plan_for(order)
    capture(order, plan, tmp_path / "pack")
    left = plan.reads["layers 0 to 2"] // 3
    assert plan.checkpoint.weights_read < sum(plan.reads.values()) - 1.9 * left
    assert not list(tmp_path.glob(".*"))
    for file in ("activations.safetensors", "weights.safetensors"):
        assert (tmp_path / "pack" / file).read_bytes() == (straight.folder / file).read_bytes()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    @property
    def frames(self) -> list[str]:
        """Every state of the bar, one after the other."""
        return [frame for frame in self.getvalue().split("\r") if frame.strip()]


def test_the_bar_begins_where_the_last_run_stopped(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = Order(str(small), TEXTS, streamed=True)
    monkeypatch.setattr("sys.stderr", first := Terminal())
    with pytest.MonkeyPatch.context() as patched, pytest.raises(Stopped):
        stop_at(patched, 2)
        capture(order, plan_for(order), tmp_path / "pack")
    assert first.frames[0].strip().startswith("0%")
    assert "0/3 layers" in first.frames[0] and "2/3 layers" in first.frames[-1]
    monkeypatch.setattr("sys.stderr", second := Terminal())
    capture(order, plan_for(order), tmp_path / "pack")
    assert not second.frames[0].strip().startswith("0%")
    assert "2/3 layers" in second.frames[0] and "3/3 layers" in second.frames[-1]
    assert first.frames[0].split("/")[1] == second.frames[0].split("/")[1]  # 0.00/241k


def test_the_bar_of_a_whole_model_counts_layers(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr", shown := Terminal())
    captured(small, tmp_path / "pack")
    assert "0/3 [" in shown.frames[0] and "layer" in shown.frames[0]


@pytest.mark.parametrize("damage", ["cut off", "other prompts", "other weights", "no state"])
def test_what_is_left_over_is_looked_at(damage: str, tmp_path: Path) -> None:
    folder = make(tmp_path / "model")
    order = Order(str(folder), TEXTS, streamed=True)
    with pytest.MonkeyPatch.context() as patched, pytest.raises(Stopped):
        stop_at(patched, 1)
        capture(order, plan_for(order), tmp_path / "pack")
    work = tmp_path / ".pack.work"
    if damage == "cut off":
        step = work / "step-001.safetensors"
        step.write_bytes(step.read_bytes()[:-8])
    elif damage == "other prompts":
        order = Order(str(folder), {"one": "la mar"}, streamed=True)
    elif damage == "other weights":
        make(folder, seed=2)
    else:
        (work / "state.json").write_text('{"steps": "none"}')
    fresh = plan_for(order)
    capture(order, fresh, tmp_path / "pack")
    assert fresh.checkpoint.weights_read == sum(fresh.reads.values())
    straight = plan_for(order)
    capture(order, straight, tmp_path / "straight")
    same(Pack(tmp_path / "pack"), Pack(tmp_path / "straight"))


# -- the slice ------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["plain", "tied", "one key/value head", "biases"])
def test_a_slice_is_cut_from_the_whole(variant: str, tmp_path: Path) -> None:
    wishes = {"num_attention_heads": 12, "num_key_value_heads": 4, "intermediate_size": 300}
    folder = make(tmp_path / "model", **{**wishes, **VARIANTS[variant]})
    sliced, _ = captured(folder, tmp_path / "slice", streamed=True, sliced=True)
    whole, _ = captured(folder, tmp_path / "whole", streamed=True, layers="all")
    weights = load_file(folder / "model.safetensors")
    for name in sliced.weight_names():
        entry, full = sliced.weight_entry(name), weights[name].float()
        for axis, indices in entry.visible.items():
            full = full.index_select(axis, torch.tensor(indices))
        assert torch.equal(sliced.weight(name), full), name
    for prompt in sliced.prompts:
        for name in sliced.activation_names(prompt):
            entry, full = sliced.activation_entry(prompt, name), whole.activation(prompt, name)
            known = whole.activation_entry(prompt, name)
            for axis, indices in entry.visible.items():
                full = full.index_select(axis, torch.tensor(indices))
            assert torch.equal(sliced.activation(prompt, name), full), name
            assert (entry.tolerance, entry.end_to_end) == (known.tolerance, known.end_to_end)


def test_candidates_are_among_the_rows(tmp_path: Path) -> None:
    folder = make(tmp_path / "model")
    for wishes in ({}, {"sliced": True}):
        pack, _ = captured(folder, tmp_path / "pack", streamed=True, layers=(0, 2), **wishes)
        rows = set(pack.activation_entry("one", "logits").visible[1])
        last = pack.activation("one", "logits.last")
        assert {*last.topk(50).indices.tolist(), *pack.prompts["two"].ids} <= rows
        assert rows == {*pack.weight_entry("lm_head.weight").visible[0]}


@pytest.mark.parametrize("text", [*TEXTS.values(), "🎶 l'aigua del riu", "a", "  dos  espais "])
def test_a_reduced_tokenizer_gives_the_same_ids(text: str, small: Path, tmp_path: Path) -> None:
    pack, _ = captured(
        small, tmp_path / "pack", streamed=True, layers=(0,), prompts={"p": text, **TEXTS}
    )
    whole = Tokenizer.from_file(str(small / "tokenizer.json"))
    assert list(pack.prompts["p"].ids) == whole.encode(text).ids
    described = json.loads((pack.folder / "tokenizer.json").read_text())
    assert len(described["model"]["merges"]) < 100
    assert all(pack.vocabulary.id_to_bytes[i] for i in pack.prompts["p"].ids)


# -- where it is written ---------------------------------------------------------------------


def test_what_is_no_pack_is_not_replaced(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    out = str(tmp_path)
    assert main(["capture", str(small), "--prompt", "la mar", "--stream", "--out", out]) == 1
    said = capsys.readouterr().err
    assert "is no pack" in said and said.count("\n") == 1
    assert (tmp_path / "thesis.tex").exists()


def test_what_can_not_be_written_is_said_first(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a file").touch()
    out = str(tmp_path / "a file" / "pack")
    order = Order(str(small), TEXTS, streamed=True)
    plan = plan_for(order)
    with pytest.raises(PackError, match="Nothing can be written to"):
        capture(order, plan, Path(out))
    assert plan.checkpoint.weights_read == 0
    assert main(["capture", str(small), "--prompt", "la mar", "--stream", "--out", out]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("error", [SafetensorError("No space left on device"), OSError(28, "full")])
def test_a_full_disk(
    error: Exception, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever finds it out; once there is room, the capture goes on."""
    order = Order(str(small), TEXTS, streamed=True)

    def full(tensors: dict[str, Any], file: Path) -> None:
        if any(key.startswith("found/one/blocks.2") for key in tensors):
            raise error
        save_file(tensors, file)

    with monkeypatch.context() as patched, pytest.raises(PackError, match="make room"):
        patched.setattr("safetensors.torch.save_file", full)
        capture(order, plan_for(order), tmp_path / "pack")
    plan = plan_for(order)
    capture(order, plan, tmp_path / "pack")
    assert plan.checkpoint.weights_read < sum(plan.reads.values())
