"""A pack that is damaged, foreign or absurd is refused whole, in one sentence, as it is opened."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
from collections.abc import Callable
from dataclasses import replace
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
import torch
from graded import grade
from safetensors.torch import load_file, save_file

from token_journey.commands.main import main
from token_journey.course.course import find_course
from token_journey.errors import PackError
from token_journey.files import sha256_of
from token_journey.packs.manifest import ACTIVATIONS, MANIFEST, SEAL, WEIGHTS, seal
from token_journey.packs.pack import Pack

PACKS = find_course().packs
Damage = Callable[[Path], None]
NORM = "model.norm.weight"


# -- ways to damage one ---------------------------------------------------------


def said(*keys: str, to: Any) -> Damage:
    """Another value in pack.json, which vouches for itself."""

    def damage(folder: Path) -> None:
        manifest = json.loads((folder / MANIFEST).read_text())
        place = manifest
        for key in keys[:-1]:
            place = place[int(key)] if isinstance(place, list) else place[key]
        last: Any = int(keys[-1]) if isinstance(place, list) else keys[-1]
        place[last] = to
        (folder / MANIFEST).write_text(json.dumps(manifest))
        seal(folder)

    return damage


def unsaid(*keys: str) -> Damage:
    def damage(folder: Path) -> None:
        manifest = json.loads((folder / MANIFEST).read_text())
        place = manifest
        for key in keys[:-1]:
            place = place[key]
        del place[keys[-1]]
        (folder / MANIFEST).write_text(json.dumps(manifest))
        seal(folder)

    return damage


def written(content: str | bytes, sealed: bool = True) -> Damage:
    """Another pack.json."""

    def damage(folder: Path) -> None:
        raw = content.encode() if isinstance(content, str) else content
        (folder / MANIFEST).write_bytes(raw)
        if sealed:
            seal(folder)

    return damage


def replaced(old: str, new: str, sealed: bool = True) -> Damage:
    """Other words in pack.json."""

    def damage(folder: Path) -> None:
        text = (folder / MANIFEST).read_text()
        assert old in text
        written(text.replace(old, new, 1), sealed)(folder)

    return damage


def file(name: str, content: Callable[[bytes], bytes], recorded: bool = False) -> Damage:
    """Other bytes in a file; pack.json vouches for them if `recorded`."""

    def damage(folder: Path) -> None:
        (folder / name).write_bytes(content((folder / name).read_bytes()))
        if recorded:
            record(folder, name)

    return damage


def record(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    about = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    said("files", name, to=about)(folder)


def tensors(name: str, change: Callable[[dict[str, torch.Tensor]], object]) -> Damage:
    """Other tensors in a file, which pack.json vouches for."""

    def damage(folder: Path) -> None:
        here = load_file(folder / name)
        change(here)
        save_file(here, folder / name)
        record(folder, name)

    return damage


def put(name: str, at: tuple[int, ...], value: float) -> Callable[[Any], object]:
    def change(here: dict[str, torch.Tensor]) -> None:
        here[name][at] = value

    return change


def as_dtype(name: str, dtype: torch.dtype) -> Callable[[Any], object]:
    return lambda here: here.update({name: here[name].to(dtype)})


def instead(name: str, make: Callable[[Path], object]) -> Damage:
    """Something else in a file's place."""

    def damage(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return damage


def beside(name: str) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).write_text("mine")

    return damage


def gone(name: str) -> Damage:
    return lambda folder: (folder / name).unlink()


def tokenizer(content: str | bytes) -> Damage:
    raw = content.encode() if isinstance(content, str) else content
    return file("tokenizer.json", lambda _: raw, recorded=True)


def without_a_token(content: bytes) -> bytes:
    described = json.loads(content)
    vocab = described["model"]["vocab"]
    described["model"]["vocab"] = {t: i for t, i in vocab.items() if i != 1}
    return json.dumps(described).encode()


ONE, EMBED = ("activations", "one/logits"), "one/embed"
DAMAGES: dict[str, tuple[Damage, str]] = {
    # pack.json as a file
    "pack.json is gone": (gone(MANIFEST), "There is no pack"),
    "pack.json is empty": (written(""), "not JSON"),
    "pack.json is cut off": (written('{"format": 1, "name": "wi'), "not JSON"),
    "pack.json is a list": (written("[]"), "no format number"),
    "pack.json is null": (written("null"), "no format number"),
    "pack.json is bytes": (written(b"\xff\xfe\x00pack"), "not JSON"),
    "pack.json is deep": (written("[" * 200_000), "not JSON"),
    "pack.json is deep inside": (
        replaced('"format": 1', '"format": 1, "x": ' + '{"a":' * 99_999 + "1" + "}" * 99_999),
        "not JSON",
    ),
    "pack.json is a folder": (instead(MANIFEST, Path.mkdir), "it is no file"),
    "pack.json is a pipe": (instead(MANIFEST, os.mkfifo), "it is no file"),
    "pack.json is a device": (
        instead(MANIFEST, lambda path: path.symlink_to("/dev/zero")),
        "it is no file",
    ),
    "pack.json leads nowhere": (
        instead(MANIFEST, lambda path: path.symlink_to("nowhere")),
        "There is no pack",
    ),
    "a key stands twice": (replaced('"format": 1', '"format": 1, "format": 1'), "stands twice"),
    "a key stands twice inside": (
        replaced('"tolerance": ', '"tolerance": 1e-9, "tolerance": '),
        "stands twice",
    ),
    "NaN": (replaced('"end_to_end": 0.0', '"end_to_end": NaN'), "NaN is no number"),
    "Infinity": (replaced('"end_to_end": 0.0', '"end_to_end": Infinity'), "is no number"),
    "format is true": (said("format", to=True), "no format number"),
    "format is text": (said("format", to="1"), "no format number"),
    "format is newer": (said("format", to=2), "is a pack of format 2"),
    # its hash
    "another tolerance": (replaced('"tolerance": ', '"tolerance": 1', sealed=False), "SHA-256"),
    "another prompt": (replaced('"text": "', '"text": "!', sealed=False), "SHA-256"),
    "one space more": (replaced("{", "{ ", sealed=False), "SHA-256"),
    "no hash": (gone(SEAL), f"{SEAL} is damaged (the file is not there)"),
    "an empty hash": (file(SEAL, lambda _: b""), "SHA-256"),
    "the hash is a pipe": (instead(SEAL, os.mkfifo), "it is no file"),
    # what it says
    "no name": (unsaid("name"), "KeyError"),
    "a name of two lines": (said("name", to="a\nb"), "can't be shown"),
    "half a character": (said("title", to="\ud800"), "surrogates"),
    "model is null": (said("model", to=None), "model is None"),
    "model has no id": (said("model", to={}), "KeyError"),
    "captured is null": (said("captured", to=None), "captured is None"),
    "held_back is text": (said("held_back", to="no"), "held_back is 'no'"),
    "no config": (unsaid("config"), "KeyError"),
    "config lacks a size": (unsaid("config", "head_dim"), "head_dim"),
    "config has a size more": (said("config", "soul", to=1), "soul"),
    "2³⁰ layers": (said("config", "num_hidden_layers", to=2**30), "num_hidden_layers is"),
    "no layer": (said("config", "num_hidden_layers", to=0), "num_hidden_layers is 0"),
    "half a layer": (said("config", "num_hidden_layers", to=1.5), "num_hidden_layers is 1.5"),
    "true layers": (said("config", "num_hidden_layers", to=True), "num_hidden_layers is True"),
    "heads that don't divide": (said("config", "num_key_value_heads", to=3), "no heads"),
    "eps below 0": (said("config", "rms_norm_eps", to=-1e-5), "rms_norm_eps is"),
    "eps is text": (said("config", "rms_norm_eps", to="1e-5"), "rms_norm_eps is"),
    "theta is 0": (said("config", "rope_theta", to=0), "rope_theta is 0"),
    "tied is 1": (said("config", "tie_word_embeddings", to=1), "tie_word_embeddings is 1"),
    "prompts is null": (said("prompts", to=None), "TypeError"),
    "two prompts of one name": (said("prompts", "1", "name", to="one"), "have one name"),
    "a prompt's name with a slash": (said("prompts", "0", "name", to="a/b"), "no name of a prompt"),
    "an id beyond the vocabulary": (said("prompts", "1", "ids", "0", to=97), "ids that are none"),
    "an id is true": (said("prompts", "1", "ids", "0", to=True), "ids that are none"),
    "no ids": (said("prompts", "0", "ids", to=[]), "ids that are none"),
    "a piece too few": (said("prompts", "0", "pieces", to=[]), "1 ids and 0 pieces"),
    "start is below 0": (said("prompts", "0", "start", to=-1), "the start of one is -1"),
    "a generation of no prompt": (said("generations", "0", "prompt", to="two"), "KeyError"),
    "a generation of other ids": (said("generations", "0", "ids", "0", to=0), "does not begin as"),
    "activations is a list": (said("activations", to=[]), "not a pack's description"),
    "an alias of nothing": (said(*ONE, to={"alias": "one/nothing"}), "KeyError"),
    "a prompt that is not there": (
        said("activations", "two/embed", to={"alias": EMBED}),
        "not a pack's description",
    ),
    "a tolerance of 0": (said(*ONE, "tolerance", to=0.0), "tolerance of one/logits is 0"),
    "a tolerance below 0": (said(*ONE, "tolerance", to=-1e-6), "tolerance of one/logits is -1e-06"),
    "a tolerance is null": (said(*ONE, "tolerance", to=None), "tolerance of one/logits is None"),
    "a tolerance of 10⁹⁹⁹": (
        replaced('"end_to_end": 0.0', '"end_to_end": 1e999'),
        "end_to_end of one/embed is inf",
    ),
    "no tolerance": (unsaid(*ONE, "end_to_end"), "tolerance of one/logits is 0"),
    "a tolerance that admits all": (said(*ONE, "tolerance", to=1e9), "nothing explains"),
    "a tolerance that admits much": (said(*ONE, "end_to_end", to=0.5), "nothing explains"),
    "a weight's tolerance": (said("weights", NORM, to={"tolerance": 1e3}), "nothing explains"),
    "places below 0": (said(*ONE, "visible", to={"1": [-1]}), "places that are none"),
    "places twice": (said(*ONE, "visible", to={"1": [1, 1]}), "a place twice"),
    "places of a ninth axis": (said(*ONE, "visible", to={"9": [1]}), "an axis of one/logits is 9"),
    "places beyond the end": (said(*ONE, "visible", to={"1": [97]}), "places beyond its end"),
    "a part that is the whole": (said(*ONE, "visible", to={"1": [1]}), "does not have the shape"),
    "a layer that is not there": (
        said("activations", "one/blocks.2.ln1.out", to={"alias": EMBED}),
        "is no name of a tensor",
    ),
    "a weight that no Llama has": (
        said("weights", "model.layers.x.mlp.up_proj.weight", to={}),
        "is missing",
    ),
    "a tensor of no name": (said("weights", "soul", to={}), "soul is missing"),
    "files is a list": (said("files", to=[]), "not a pack's description"),
    "a file outside": (said("files", "../x", to={"sha256": "0", "bytes": 1}), "no name of a file"),
    "a file is not listed": (unsaid("files", WEIGHTS), "does not list weights"),
    "a hash is null": (said("files", WEIGHTS, "sha256", to=None), "a SHA-256 is None"),
    # the files beside it
    "no activations": (gone(ACTIVATIONS), "the file is not there"),
    "no weights": (gone(WEIGHTS), "the file is not there"),
    "activations cut off": (file(ACTIVATIONS, lambda b: b[:-1]), "SHA-256"),
    "weights cut off": (file(WEIGHTS, lambda b: b[: len(b) // 2]), "SHA-256"),
    "one bit": (file(WEIGHTS, lambda b: b[:-1] + bytes([b[-1] ^ 1])), "SHA-256"),
    "one byte more": (file(WEIGHTS, lambda b: b + b"\0"), "SHA-256"),
    "weights are a folder": (instead(WEIGHTS, Path.mkdir), "it is no file"),
    "weights are a pipe": (instead(WEIGHTS, os.mkfifo), "it is no file"),
    "activations are a device": (
        instead(ACTIVATIONS, lambda path: path.symlink_to("/dev/zero")),
        "it is no file",
    ),
    "weights lead nowhere": (
        instead(WEIGHTS, lambda path: path.symlink_to("nowhere")),
        "the file is not there",
    ),
    "cut off and recorded": (file(WEIGHTS, lambda b: b[:-4], recorded=True), "is damaged"),
    "empty and recorded": (file(WEIGHTS, lambda b: b"", recorded=True), "is damaged"),
    "a header of gigabytes": (
        file(WEIGHTS, lambda b: struct.pack("<Q", 2**40) + b[8:], recorded=True),
        "is damaged",
    ),
    "a pickle": (instead(WEIGHTS, lambda path: torch.save({}, path)), "SHA-256"),
    # what they hold
    "NaN in an activation": (tensors(ACTIVATIONS, put("one/logits", (0, 5), nan)), "holds NaN"),
    "infinity in an activation": (
        tensors(ACTIVATIONS, put("one/logits", (0, 5), inf)),
        "holds infinity",
    ),
    "infinity in the scores": (
        tensors(ACTIVATIONS, put("seven/blocks.0.attn.scores", (0, 0, 3), inf)),
        "holds infinity",
    ),
    "NaN in a weight": (tensors(WEIGHTS, put(NORM, (3,), nan)), "holds NaN"),
    "minus infinity in a weight": (tensors(WEIGHTS, put(NORM, (3,), -inf)), "holds infinity"),
    "an activation is missing": (tensors(ACTIVATIONS, lambda t: t.pop("one/logits")), "is missing"),
    "a weight too many": (
        tensors(WEIGHTS, lambda t: t.update(soul=torch.zeros(1))),
        "soul is not described",
    ),
    "an activation of another shape": (
        tensors(ACTIVATIONS, lambda t: t.update({"one/logits": torch.ones(1, 96)})),
        "does not have the shape",
    ),
    "an activation of whole numbers": (
        tensors(ACTIVATIONS, as_dtype("one/logits", torch.int64)),
        "is stored as torch.int64",
    ),
    "an activation of half its digits": (
        tensors(ACTIVATIONS, as_dtype("one/logits", torch.float16)),
        "is stored as torch.float16",
    ),
    "a weight of 8 bits": (tensors(WEIGHTS, as_dtype(NORM, torch.uint8)), "is stored as"),
}
TOKENIZERS: dict[str, tuple[Damage, str]] = {
    "no tokenizer": (gone("tokenizer.json"), "the file is not there"),
    "another tokenizer": (file("tokenizer.json", lambda b: b + b" "), "SHA-256"),
    "a tokenizer of bytes": (tokenizer(b"\xff\xfe"), "no tokenizer that can be read"),
    "a tokenizer that is no JSON": (tokenizer("{"), "no tokenizer that can be read"),
    "a tokenizer that is a list": (tokenizer("[]"), "no tokenizer that can be read"),
    "a tokenizer without a model": (tokenizer("{}"), "no tokenizer that can be read"),
    "a tokenizer of null": (tokenizer('{"model": null}'), "no tokenizer that can be read"),
    "a deep tokenizer": (tokenizer("[" * 200_000), "no tokenizer that can be read"),
    "a tokenizer with words for ids": (
        tokenizer('{"model": {"vocab": {"a": {}}, "merges": []}}'),
        "no tokenizer that can be read",
    ),
    "merges of nothing": (
        tokenizer('{"model": {"vocab": {"a": 0}, "merges": [["b", "c"]]}}'),
        "no tokenizer that can be read",
    ),
    "a token that it does not know": (
        file("tokenizer.json", without_a_token, recorded=True),
        "it does not know token 1",
    ),
    "a tokenizer elsewhere": (said("tokenizer", "file", to="../tokenizer.json"), "no name of a"),
    "a tokenizer that is not listed": (unsaid("files", "tokenizer.json"), "does not list"),
    "tokenizer is true": (said("tokenizer", to=True), "tokenizer is True"),
    "a begin token beyond the end": (said("tokenizer", "begin_token", to=590), "begin_token is"),
}


def copy_of(name: str, folder: Path) -> Path:
    return Path(shutil.copytree(PACKS / name, folder / name))


def refused(folder: Path) -> str:
    with pytest.raises(PackError) as caught:
        Pack(folder)
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message and message.isprintable()
    assert str(folder) in message and len(message) < 400 + 3 * len(str(folder))
    return message


@pytest.mark.parametrize("what", DAMAGES)
def test_damaged(what: str, tmp_path: Path) -> None:
    damage, why = DAMAGES[what]
    folder = copy_of("witness-mqa", tmp_path)
    damage(folder)
    assert why in refused(folder)


@pytest.mark.parametrize("what", TOKENIZERS)
def test_damaged_tokenizers(what: str, tmp_path: Path) -> None:
    damage, why = TOKENIZERS[what]
    folder = copy_of("witness-gqa", tmp_path)
    damage(folder)
    assert why in refused(folder)


@pytest.mark.parametrize("name", ["nowhere", "a" * 5000, "a\0b", "packs/nowhere/deeper"])
def test_no_pack_at_all(name: str) -> None:
    with pytest.raises(PackError, match="There is no pack in"):
        Pack(Path(name))


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is hidden from root")
def test_a_folder_that_can_not_be_read(tmp_path: Path) -> None:
    folder = copy_of("witness-mqa", tmp_path)
    folder.chmod(0)
    try:
        assert "There is no pack in" in refused(folder)
    finally:
        folder.chmod(0o700)


def test_a_pack_json_that_does_not_end(tmp_path: Path) -> None:
    folder = copy_of("witness-mqa", tmp_path)
    (folder / MANIFEST).write_text(" " * (3 * 10**7 + 1))
    assert "longer than 30,000,000 bytes" in refused(folder)


# -- right ones are accepted ------------------------------------------------------


RIGHT: dict[str, Damage] = {
    "as it is": lambda folder: None,
    "another title": said("title", to="Açò és or"),
    "no revision": said("model", "revision", to=None),
    "keys that nobody knows": said("weather", to={"today": [1, {}]}),
    "no generations": unsaid("generations"),
    "held back": said("held_back", to=True),
    "no activations at all": said("activations", to={}),
    "more layers": said("config", "num_hidden_layers", to=3),
    "a stricter tolerance": said(*ONE, "tolerance", to=1e-9),
    "a file beside it": beside("notes.txt"),
    "weights of bfloat16": tensors(
        WEIGHTS, lambda t: t.update({name: x.bfloat16() for name, x in t.items()})
    ),
    "a number is another": tensors(ACTIVATIONS, put("one/logits", (0, 5), 1.0)),
}


@pytest.mark.parametrize("what", RIGHT)
def test_right(what: str, tmp_path: Path) -> None:
    folder = copy_of("witness-mqa", tmp_path)
    RIGHT[what](folder)
    if what == "no activations at all":
        (folder / ACTIVATIONS).unlink()
        unsaid("files", ACTIVATIONS)(folder)
    assert Pack(folder).name == "witness-mqa"


def test_a_linked_pack_is_right(tmp_path: Path) -> None:
    for path in (PACKS / "witness-mqa").iterdir():
        (tmp_path / path.name).symlink_to(path)
    assert Pack(tmp_path).prompts


# -- by every door, before anything is judged ---------------------------------------


DOORS = ["NaN in an activation", "another tolerance", "model is null", "weights are a pipe"]


@pytest.fixture(params=DOORS)
def damaged(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = copy_of("witness-mqa", tmp_path)
    DAMAGES[request.param][0](folder)
    return folder


def test_grading_refuses_it(damaged: Path) -> None:
    done = grade(find_course().reference / "s03_rms_norm.py", options=("--pack", str(damaged)))
    assert done.exit_code == 4
    assert str(damaged) in done.output and "Traceback" not in done.output
    assert not done.reports


@pytest.mark.parametrize("what", [*DOORS, "pack.json is gone", "no weights"])
def test_a_shipped_pack_is_refused_too(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("witness-mha", "witness-mqa"):
        copy_of(name, tmp_path / "packs")
    damaged = tmp_path / "packs" / "witness-mqa"
    DAMAGES[what][0](damaged)
    course = replace(find_course(), packs=tmp_path / "packs")
    monkeypatch.setattr("token_journey.grading.collect.find_course", lambda: course)
    done = grade(course.reference / "s03_rms_norm.py")
    assert done.exit_code == 4 and not done.reports
    assert str(damaged) in done.output and "Traceback" not in done.output


def test_commands_refuse_it(damaged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["verify", str(damaged)], ["show", "--model", str(damaged), "la mar"]):
        assert main(command) == 1
        said = capsys.readouterr()
        assert said.err.count("\n") == 1 and str(damaged) in said.err
        assert not said.out


# -- a pack that was found whole is not read again ---------------------------------------


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A large pack that was opened, long enough after it was written."""
    monkeypatch.setenv("TOKEN_JOURNEY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("token_journey.packs.inspection._SETTLED", -1)
    folder = copy_of("witness-gqa", tmp_path)
    Pack(folder)
    return folder


def files_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    read: list[str] = []

    def hashed(path: Path) -> str:
        read.append(path.name)
        return sha256_of(path)

    monkeypatch.setattr("token_journey.packs.inspection.sha256_of", hashed)
    return read


def test_a_pack_is_hashed_once(noted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = files_read(monkeypatch)
    assert Pack(noted).vocabulary and not read
    shutil.rmtree(noted.parent / "cache")
    Pack(noted)
    assert {*read} == {*json.loads((noted / MANIFEST).read_text())["files"]}


@pytest.mark.parametrize(
    "what", ["one bit", "weights cut off", "no weights", "NaN in a weight", "another tolerance"]
)
def test_what_changes_is_noticed(what: str, noted: Path) -> None:
    damage, why = DAMAGES[what]
    damage(noted)
    assert why in refused(noted)


def test_a_change_that_keeps_its_date_is_noticed(noted: Path) -> None:
    before = (noted / WEIGHTS).stat()
    DAMAGES["one bit"][0](noted)
    os.utime(noted / WEIGHTS, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert "SHA-256" in refused(noted)


def test_a_damaged_pack_is_never_noted(noted: Path) -> None:
    DAMAGES["one bit"][0](noted)
    for _ in range(2):
        assert "SHA-256" in refused(noted)


def test_what_was_just_written_is_not_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another change could have the same time stamp."""
    monkeypatch.setenv("TOKEN_JOURNEY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("token_journey.packs.inspection._SETTLED", 10**15)
    Pack(copy_of("witness-gqa", tmp_path))
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("content", [b"", b"\xff", b"yes"])
def test_a_note_of_something_else(content: bytes, noted: Path) -> None:
    (note,) = (noted.parent / "cache" / "packs-found-whole").iterdir()
    note.write_bytes(content)
    DAMAGES["one bit"][0](noted)
    assert "SHA-256" in refused(noted)


def test_a_cache_that_can_not_be_written_costs_time_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("TOKEN_JOURNEY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("token_journey.packs.inspection._SETTLED", -1)
    assert Pack(copy_of("witness-gqa", tmp_path)).prompts
