"""Packs: what the shipped ones hold, and what becomes of damaged ones."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from math import nan
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from token_journey.capture.recipes.rebuild import RECIPES
from token_journey.commands.main import main
from token_journey.course.course import find_course
from token_journey.errors import PackError
from token_journey.llama.config import ModelConfig
from token_journey.llama.names import describe
from token_journey.models.tokenizer import encode_prompt
from token_journey.packs.manifest import ACTIVATIONS, MANIFEST, SEAL, Prompt, seal
from token_journey.packs.pack import Pack, find_packs
from token_journey.packs.writer import PackWriter, to_json

PACKS = find_course().packs

CONFIG = ModelConfig(7, 4, 1, 2, 1, 2, 6, 1e-5, 10.0, False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a shipped pack, to be damaged."""
    return Path(shutil.copytree(PACKS / "witness-mqa", tmp_path / "witness-mqa"))


def refused(folder: Path) -> str:
    """The one sentence with which a pack is refused when it is opened."""
    with pytest.raises(PackError) as caught:
        Pack(folder)
    message = str(caught.value)
    assert "\n" not in message and message.endswith(".") and str(folder) in message
    return message


def rewrite_manifest(folder: Path, **changes: Any) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(manifest | changes))
    seal(folder)


def record_hash(folder: Path, file: str) -> None:
    """Make the manifest vouch for whatever the file is now."""
    manifest = json.loads((folder / MANIFEST).read_text())
    content = (folder / file).read_bytes()
    about = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    manifest["files"][file] = about
    rewrite_manifest(folder, files=manifest["files"])


class TestDamage:
    def test_no_folder(self, tmp_path: Path) -> None:
        assert "There is no pack" in refused(tmp_path / "nowhere")

    def test_missing_file(self, folder: Path) -> None:
        (folder / ACTIVATIONS).unlink()
        assert "the file is not there" in refused(folder)

    def test_truncated(self, folder: Path) -> None:
        whole = (folder / ACTIVATIONS).read_bytes()
        (folder / ACTIVATIONS).write_bytes(whole[:-1])
        assert "SHA-256" in refused(folder)

    def test_altered(self, folder: Path) -> None:
        content = bytearray((folder / ACTIVATIONS).read_bytes())
        content[-1] ^= 1
        (folder / ACTIVATIONS).write_bytes(content)
        assert "SHA-256" in refused(folder)

    def test_from_another_pack(self, folder: Path) -> None:
        shutil.copy(PACKS / "witness-mha" / ACTIVATIONS, folder)
        assert "SHA-256" in refused(folder)

    def test_from_another_pack_vouched_for(self, folder: Path) -> None:
        shutil.copy(PACKS / "witness-mha" / ACTIVATIONS, folder)
        record_hash(folder, ACTIVATIONS)
        assert "is missing" in refused(folder)

    def test_no_safetensors(self, folder: Path) -> None:
        torch.save({"one/embed": torch.zeros(1)}, folder / ACTIVATIONS)
        record_hash(folder, ACTIVATIONS)
        assert "damaged" in refused(folder)

    def test_file_that_is_not_listed(self, folder: Path) -> None:
        rewrite_manifest(folder, files={})
        assert "does not list" in refused(folder)

    def test_newer_format(self, folder: Path) -> None:
        rewrite_manifest(folder, format=2)
        assert "format 2" in refused(folder)

    @pytest.mark.parametrize("content", ["", "{", "[]", "{}", "null"])
    def test_no_manifest(self, folder: Path, content: str) -> None:
        (folder / MANIFEST).write_text(content)
        assert "damaged" in refused(folder)

    @pytest.mark.parametrize(
        "changes",
        [
            {"config": {"vocab_size": 97}},
            {"prompts": [{"name": "one"}]},
            {"activations": {"one/embed": {"alias": "one/nothing"}}},
            {"activations": {"one/embed": {"visible": {"0": "no such list"}}}},
            {"files": []},
            {"files": {"../../passwd": {"sha256": "0"}}},
            {"files": {"/etc/passwd": {"sha256": "0"}}},
            {"tokenizer": {"file": "../tokenizer.json"}},
            {"tokenizer": {"file": 7}},
            {"activations": {"one/embed": {"visible": {"1": [-1]}}}},
            {"activations": {"one/embed": {"visible": {"1": ["0"]}}}},
            {"activations": {"one/embed": {"visible": {"first": [0]}}}},
            {"activations": {"one/embed": {"alias": "one/blocks.0.resid_pre"}}},
        ],
    )
    def test_manifest_of_something_else(self, folder: Path, changes: dict[str, Any]) -> None:
        rewrite_manifest(folder, **changes)
        assert "not a pack's description" in refused(folder)

    @pytest.mark.parametrize(
        ("key", "value"),
        [("vocab_size", 0), ("head_dim", -1), ("hidden_size", "48"), ("num_hidden_layers", 2**40)],
    )
    def test_sizes_that_are_none(self, folder: Path, key: str, value: Any) -> None:
        config = json.loads((folder / MANIFEST).read_text())["config"]
        rewrite_manifest(folder, config=config | {key: value})
        assert "not a pack's description" in refused(folder)

    def test_ids_beyond_the_vocabulary(self, folder: Path) -> None:
        prompts = json.loads((folder / MANIFEST).read_text())["prompts"]
        prompts[0]["ids"][0] = 10**6
        rewrite_manifest(folder, prompts=prompts)
        assert "not a pack's description" in refused(folder)

    def test_places_beyond_the_end(self, folder: Path) -> None:
        activations = json.loads((folder / MANIFEST).read_text())["activations"]
        activations["one/embed"]["visible"] = {"1": [10**9]}
        rewrite_manifest(folder, activations=activations)
        assert "places beyond its end" in refused(folder)

    def test_names_that_are_none(self, folder: Path) -> None:
        activations = json.loads((folder / MANIFEST).read_text())["activations"]
        activations["one/blocks.0.soul"] = {"alias": "one/embed"}
        rewrite_manifest(folder, activations=activations)
        assert "one/blocks.0.soul is no name of a tensor" in refused(folder)

    @pytest.mark.parametrize("kind", ["shape", "NaN"])
    def test_other_numbers_vouched_for(self, folder: Path, kind: str) -> None:
        tensors = load_file(folder / ACTIVATIONS)
        embedded = tensors["one/embed"]
        tensors["one/embed"] = embedded[:, :-1].contiguous() if kind == "shape" else embedded * nan
        save_file(tensors, folder / ACTIVATIONS)
        record_hash(folder, ACTIVATIONS)
        assert ("does not have the shape" if kind == "shape" else "holds NaN") in refused(folder)

    @pytest.mark.parametrize("begin", [2**62, 10**9])
    def test_a_header_of_gigabytes(self, folder: Path, begin: int) -> None:
        content = (folder / ACTIVATIONS).read_bytes()
        (folder / ACTIVATIONS).write_bytes(begin.to_bytes(8, "little") + content[8:])
        record_hash(folder, ACTIVATIONS)
        assert "damaged" in refused(folder)


def test_tensors_are_copies() -> None:
    pack = Pack(PACKS / "witness-mqa")
    for read in (
        lambda: pack.activation("one", "embed"),
        lambda: pack.weight("model.norm.weight"),
        lambda: pack.layer_weights(0)["mlp.up_proj.weight"],
        lambda: pack.all_weights()["model.norm.weight"],
    ):
        before = read()
        read().fill_(float("nan"))
        assert torch.equal(read(), before)


def test_records_apart_are_copies() -> None:
    pack = Pack(PACKS / "aitana-2b-s-published")
    before = pack.apart("wrong_residual/mlp.gate")
    pack.apart("wrong_residual/mlp.gate").zero_()
    assert torch.equal(pack.apart("wrong_residual/mlp.gate"), before)


class TestWriter:
    def draft(self, values: dict[str, torch.Tensor]) -> PackWriter:
        model = {"id": "small"}
        pack = PackWriter("small", "a test", CONFIG, model, {}, index_lists={"few": [0, 3]})
        pack.add_prompt(Prompt("p", "two", (0, 1), ("t", "wo")))
        for name, value in values.items():
            pack.add_activation("p", name, pack.cut(value, {1: "few"}), 1e-6, 2e-6, {1: "few"})
        return pack

    def test_what_is_written_is_read(self, tmp_path: Path) -> None:
        whole = torch.rand(2, 4)
        writer = self.draft({"embed": whole})
        writer.add_alias("p", "blocks.0.resid_pre", "embed")
        writer.add_weight("model.norm.weight", torch.ones(4, dtype=torch.bfloat16))
        writer.write(tmp_path / "small")
        pack = Pack(tmp_path / "small")
        for name in ("embed", "blocks.0.resid_pre"):
            entry = pack.activation_entry("p", name)
            assert (entry.tolerance, entry.end_to_end) == (1e-6, 2e-6)
            assert entry.visible == {1: (0, 3)} and not entry.complete
            assert torch.equal(pack.activation("p", name), whole[:, [0, 3]])
        assert pack.weight("model.norm.weight").dtype == torch.float32
        assert not pack.has_vocabulary and pack.generations == []

    def test_same_tensors_same_bytes(self, tmp_path: Path) -> None:
        a, b = torch.rand(2, 4), torch.rand(2, 4)
        self.draft({"embed": a, "logits": b}).write(tmp_path / "one")
        self.draft({"logits": b, "embed": a}).write(tmp_path / "other")
        one, other = (tmp_path / name / ACTIVATIONS for name in ("one", "other"))
        assert one.read_bytes() == other.read_bytes()

    def test_a_pack_stays_until_the_next_is_whole(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = {path.name: path.read_bytes() for path in folder.iterdir()}

        def disk_full(*_: Any, **__: Any) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(Path, "write_text", disk_full)
            with pytest.raises(PackError, match=r"can't be written \(No space left on device\)"):
                self.draft({"embed": torch.rand(2, 4)}).write(folder)
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
        assert list(folder.parent.iterdir()) == [folder]

        self.draft({"embed": torch.rand(2, 4)}).write(folder)
        assert Pack(folder).name == "small"
        assert sorted(path.name for path in folder.iterdir()) == [ACTIVATIONS, MANIFEST, SEAL]
        assert list(folder.parent.iterdir()) == [folder]

    def test_replaces_nothing_but_packs(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.tex").write_text("years of work")
        with pytest.raises(PackError, match="is no pack"):
            self.draft({}).write(tmp_path)
        assert (tmp_path / "thesis.tex").exists()

    def test_json_is_readable(self) -> None:
        value = {"ids": list(range(99)), "nested": {"a": [{"b": 1}] * 40}, "short": {"x": [1, 2]}}
        text = to_json(value)
        assert json.loads(text) == value
        assert '  "ids": [0, 1, 2, 3' in text and '  "short": {"x": [1, 2]}' in text


def test_rebuild_refuses_other_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rebuild", "gpt-2"]) == 1
    message = capsys.readouterr().err
    assert "gpt-2 is not one of the packs shipped" in message and message.count("\n") == 1


def test_rebuild_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOKEN_JOURNEY_CACHE", str(tmp_path / "empty"))
    assert main(["rebuild", "smollm2-135m", "--out", str(tmp_path)]) == 1
    assert "run `token-journey fetch` first" in capsys.readouterr().err


# -- the shipped packs ----------------------------------------------------------


@pytest.fixture(params=RECIPES)
def shipped(request: pytest.FixtureRequest) -> Pack:
    return Pack(PACKS / request.param)


def everything(pack: Pack) -> Iterator[tuple[str, str]]:
    return ((p, name) for p in pack.prompts for name in pack.activation_names(p))


def test_all_are_there() -> None:
    assert [folder.name for folder in find_packs(PACKS)] == sorted(RECIPES)
    for folder in PACKS.iterdir():
        assert sum(path.stat().st_size for path in folder.iterdir()) < 25_000_000
        files = {MANIFEST, SEAL, *_manifest(folder)["files"]}
        assert {path.name for path in folder.iterdir()} == files


def _manifest(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    return manifest


def test_every_activation_has_its_shape(shipped: Pack) -> None:
    c = shipped.config
    sizes = {
        "hidden": c.hidden_size,
        "head": c.num_attention_heads,
        "key/value head": c.num_key_value_heads,
        "dim": c.head_dim,
        "all heads": c.num_attention_heads * c.head_dim,
        "all key/value heads": c.num_key_value_heads * c.head_dim,
        "neuron": c.intermediate_size,
        "vocabulary": c.vocab_size,
    }
    count = 0
    for prompt, name in everything(shipped):
        tokens = len(shipped.prompts[prompt].ids)
        entry, value = shipped.activation_entry(prompt, name), shipped.activation(prompt, name)
        whole = [sizes.get(axis, tokens) for axis in describe(name).axes]
        part = [len(entry.visible.get(axis, range(size))) for axis, size in enumerate(whole)]
        assert list(value.shape) == part, name
        assert all(max(idx) < whole[axis] for axis, idx in entry.visible.items()), name
        assert value.dtype == torch.float32 and not value.isnan().any(), name
        count += 1
    assert count > 40


def test_every_weight_has_its_shape(shipped: Pack) -> None:
    c = shipped.config
    q, kv = c.num_attention_heads * c.head_dim, c.num_key_value_heads * c.head_dim
    shapes = {
        "embed_tokens": (c.vocab_size, c.hidden_size),
        "lm_head": (c.vocab_size, c.hidden_size),
        "q_proj": (q, c.hidden_size),
        "k_proj": (kv, c.hidden_size),
        "v_proj": (kv, c.hidden_size),
        "o_proj": (c.hidden_size, q),
        "gate_proj": (c.intermediate_size, c.hidden_size),
        "up_proj": (c.intermediate_size, c.hidden_size),
        "down_proj": (c.hidden_size, c.intermediate_size),
    }
    names = list(_manifest(shipped.folder)["weights"])
    assert names
    for name in names:
        whole = shapes.get(name.split(".")[-2], (c.hidden_size,))
        visible = shipped.weight_entry(name).visible
        part = [len(visible.get(axis, range(size))) for axis, size in enumerate(whole)]
        assert list(shipped.weight(name).shape) == part, name
    tied = c.tie_word_embeddings
    assert not (tied and shipped.has_weight("lm_head.weight"))


def test_witnesses_are_complete() -> None:
    for folder in find_packs(PACKS):
        pack = Pack(folder)
        if not pack.name.startswith("witness-"):
            continue
        assert pack.layers == tuple(range(pack.config.num_hidden_layers))
        for prompt, name in everything(pack):
            assert pack.activation_entry(prompt, name).complete


def test_layers_are_whole_ones() -> None:
    assert Pack(PACKS / "smollm2-135m").layers == (0, 29)
    assert Pack(PACKS / "aitana-2b-s-published").layers == ()


@pytest.mark.parametrize("name", ["smollm2-135m", "witness-gqa"])
def test_prompts_are_what_the_tokenizer_says(name: str) -> None:
    pack = Pack(PACKS / name)
    tokenizer = Tokenizer.from_file(str(pack.folder / "tokenizer.json"))
    for prompt in pack.prompts.values():
        assert encode_prompt(tokenizer, prompt.name, prompt.text, prompt.start) == prompt
        assert tokenizer.decode(list(prompt.ids)) == prompt.text
        spoken = [pack.vocabulary.id_to_bytes[i] for i in prompt.ids]
        assert b"".join(spoken).decode().removeprefix("<s>").lstrip() == prompt.text
        assert "".join(prompt.words).replace("▁", " ").lstrip() == prompt.text


def test_vocabulary_knows_every_id() -> None:
    for name in ("smollm2-135m", "witness-gqa"):
        pack = Pack(PACKS / name)
        assert sorted(pack.vocabulary.id_to_bytes) == list(range(pack.config.vocab_size))


def test_letters_come_before_their_bytes() -> None:
    vocabulary = Pack(PACKS / "witness-gqa").vocabulary
    assert not vocabulary.byte_level
    assert (
        vocabulary.id_to_bytes[3 + ord("a")] == b"a" == vocabulary.id_to_bytes[vocabulary.ids[b"a"]]
    )
    assert vocabulary.ids[b"a"] > 258


def test_digits_stand_alone() -> None:
    words = Pack(PACKS / "smollm2-135m").prompts["long"].words
    assert words[:6] == ("In", " ", "1", "2", "3", "8")


def test_two_prompts_can_be_stacked() -> None:
    prompts = Pack(PACKS / "witness-gqa").prompts
    assert len(prompts["camins"].ids) == len(prompts["words"].ids)
    assert prompts["camins"].start == prompts["words"].start == 0


def test_a_character_spans_tokens() -> None:
    for name, prompt in (("smollm2-135m", "accents"), ("witness-gqa", "bytes")):
        pack = Pack(PACKS / name)
        torn = 0
        for token_id in pack.prompts[prompt].ids:
            try:
                pack.vocabulary.id_to_bytes[token_id].decode()
            except UnicodeDecodeError:
                torn += 1
        assert torn >= 2


def test_save_file_is_what_the_writer_uses(tmp_path: Path) -> None:
    """The writer's bytes are ordinary safetensors, without metadata."""
    tensors = {"b": torch.zeros(2), "a": torch.ones(3)}
    save_file(tensors, tmp_path / "plain")
    writer = PackWriter("small", "a test", CONFIG, {}, {})
    for name, value in tensors.items():
        writer.add_weight(name, value)
    writer.write(tmp_path / "small")
    assert (tmp_path / "small" / "weights.safetensors").read_bytes() == (
        tmp_path / "plain"
    ).read_bytes()
