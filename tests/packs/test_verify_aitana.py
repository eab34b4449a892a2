"""verify at Aitana's own size: what is printed is held against layer 0 of its exact shape.

Only what a streamed capture of layer 0 reads is there; the rest of the checkpoint is a hole
in a file. Ids, the corners of the weights and the rows of the embedding are those that were
published, and the other weights are random, so the figures of layer 0 are computed anew, here
and in float64, by the formulas. They are printed and stored as the published ones are.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers.models.llama.modeling_llama import LlamaDecoderLayer

from token_journey.capture.recipes.published import SAMPLED, build_pack
from token_journey.commands.main import main
from token_journey.course.course import find_course
from token_journey.files import sha256_of
from token_journey.models.architecture import read_config
from token_journey.models.checkpoint import SINGLE
from token_journey.models.source import PINNED
from token_journey.packs.manifest import seal
from token_journey.packs.pack import Pack

pytestmark = pytest.mark.slow

PACKS = find_course().packs

ID = "gplsi/Aitana-2B-S"
FIGURES: dict[str, Any] = json.loads((PACKS / "aitana-2b-s-published" / "figures.json").read_text())
PROMPT = FIGURES["prompt"]
# As its releases write it.
CONFIG = {
    **{k: v for k, v in FIGURES["model"]["config"].items() if k != "architecture"},
    **{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "torch_dtype": "bfloat16"},
    **{"rope_scaling": None, "max_position_embeddings": 8192, "bos_token_id": 1},
}
T, H, D = 5, CONFIG["num_attention_heads"], CONFIG["head_dim"]
GAIN = {"input_layernorm", "post_attention_layernorm"}


# -- a checkpoint ---------------------------------------------------------------------------


def tokenizer() -> dict[str, Any]:
    """A SentencePiece-style tokenizer that makes the published ids of both texts."""
    spelled = [(text, pieces) for text, pieces in _texts() if pieces]
    vocab = dict(FIGURES["special_tokens"])
    vocab |= {f"<0x{byte:02X}>": 6 + byte for byte in range(256)}
    merges: list[list[str]] = []
    spare = iter(range(200_000, 210_000))
    for text, pieces in spelled:
        rest = text
        for piece, token in pieces:
            begins_word = rest == text or rest.startswith(" ")
            rest = rest.lstrip(" ").removeprefix(piece)
            vocab["▁" + piece if begins_word else piece] = token
    for token in sorted((t for t in vocab if t[:1] != "<"), key=lambda t: t[:1] != "▁"):
        for end in range(1, len(token)):
            pair = [token[:end], token[end]]
            merges += [pair] if pair not in merges else []
            for part in (*pair, "".join(pair)):
                if part not in vocab:
                    vocab[part] = next(spare)
    whole = json.loads((PACKS / "witness-gqa" / "tokenizer.json").read_text())
    return whole | {"model": whole["model"] | {"vocab": vocab, "merges": merges}}


def _texts() -> Iterator[tuple[str, list[tuple[str, int]]]]:
    pieces = zip(PROMPT["pieces_shown"], PROMPT["token_ids"], strict=True)
    yield PROMPT["text"], [*pieces][1:]
    spelling = FIGURES["spelling_prompt"]
    yield spelling["text"], [(piece, token) for piece, token in spelling["tokens"]][1:]


def printed_corner(weight: Tensor, name: str) -> None:
    """Write what was printed of a matrix into it."""
    for record in FIGURES["weights"]:
        if record["name"] == name:
            rows, columns = (torch.tensor(record["visible"][axis]) for axis in record["axes"])
            weight[rows[:, None], columns] = torch.tensor(record["values"]).to(weight.dtype)


def make_checkpoint(folder: Path) -> dict[str, Tensor]:
    """Write it; the weights of layer 0 and the embedding's rows (T, hidden) of the prompt."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer()), encoding="utf-8")
    family = read_config(CONFIG)
    layers = [family.layer_shapes(n) for n in range(CONFIG["num_hidden_layers"])]
    shapes = {k: v for table in (family.outer_shapes(), *layers) for k, v in table.items()}
    header, starts, end = {}, {}, 0
    for name, shape in shapes.items():
        begin, end = end, end + 2 * math.prod(shape)
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [begin, end]}
        starts[name] = begin
    text = json.dumps(header).encode()
    generator, weights = torch.Generator().manual_seed(0), {}
    with (folder / SINGLE).open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + end)

        def put(name: str, numbers: Tensor, row: int = 0) -> None:
            file.seek(8 + len(text) + starts[name] + row * 2 * numbers.shape[-1])
            file.write(numbers.contiguous().view(torch.uint8).numpy().tobytes())

        for name, shape in layers[0].items():
            gain = name.split(".")[-2] in GAIN
            weight = torch.empty(shape, dtype=torch.bfloat16)
            weight.normal_(1.0 if gain else 0.0, 0.2 if gain else 0.02, generator=generator)
            printed_corner(weight, name)
            weights[name] = weight
            put(name, weight)
        embed = FIGURES["activations"][0]
        rows = torch.empty(T, CONFIG["hidden_size"], dtype=torch.bfloat16)
        rows.normal_(0.0, 0.02, generator=generator)
        rows[:, embed["visible"]["hidden"]] = torch.tensor(embed["values"]).to(rows.dtype)
        for token, row in zip(PROMPT["token_ids"], rows, strict=True):
            put("model.embed_tokens.weight", row, token)
        vocabulary = next(r for r in FIGURES["weights"] if r["name"] == "lm_head.weight")
        for row, values in zip(vocabulary["visible"]["row"], vocabulary["values"], strict=True):
            numbers = torch.zeros(CONFIG["hidden_size"], dtype=torch.bfloat16)
            numbers[vocabulary["visible"]["column"]] = torch.tensor(values).to(numbers.dtype)
            put("lm_head.weight", numbers, row)
    return weights | {"embed": rows}


# -- its figures ------------------------------------------------------------------------------


def layer_0(weights: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Layer 0 by the formulas, in float64; and what follows from the notebook's wrong residual."""
    w = {name.removeprefix("model.layers.0."): x.double() for name, x in weights.items()}

    def normed(x: Tensor, name: str) -> Tensor:
        eps = CONFIG["rms_norm_eps"]
        return w[f"{name}.weight"] * x * (x.pow(2).mean(-1, keepdim=True) + eps).rsqrt()

    def heads(x: Tensor, name: str) -> Tensor:
        return (x @ w[f"self_attn.{name}_proj.weight"].T).view(T, H, D).transpose(0, 1)

    pairs = torch.arange(0, D, 2, dtype=torch.float64)
    angles = torch.arange(T).double()[:, None] * CONFIG["rope_theta"] ** (-pairs / D)
    cos, sin = angles.cos().repeat(1, 2), angles.sin().repeat(1, 2)

    def rotated(x: Tensor) -> Tensor:
        left, right = x.chunk(2, dim=-1)
        return x * cos + torch.cat((-right, left), dim=-1) * sin

    def mlp(x: Tensor) -> dict[str, Tensor]:
        gate, up = (x @ w[f"mlp.{name}_proj.weight"].T for name in ("gate", "up"))
        act = gate * gate.sigmoid()
        out = (act * up) @ w["mlp.down_proj.weight"].T
        names = ("mlp.gate", "mlp.up", "mlp.gate_act", "mlp.post", "mlp_out")
        return dict(zip(names, (gate, up, act, act * up, out), strict=True))

    x = w["embed"]
    ln1 = normed(x, "input_layernorm")
    q, k, v = (heads(ln1, name) for name in "qkv")
    raw = rotated(q) @ rotated(k).mT
    scores = (raw / D**0.5).masked_fill(torch.ones(T, T).triu(1).bool(), -math.inf)
    z = scores.softmax(-1) @ v
    found = {"attn.q": q, "attn.k": k, "attn.v": v, "attn.z": z}
    found |= {f"{name}_flat": x.transpose(0, 1).flatten(1) for name, x in found.items()}
    attn_out = found["attn.z_flat"] @ w["self_attn.o_proj.weight"].T
    mid, wrong_mid = x + attn_out, ln1 + attn_out
    post, wrong = (
        {"resid_mid": m, **parts, "resid_post": m + parts["mlp_out"]}
        for m in (mid, wrong_mid)
        for parts in (mlp(normed(m, "post_attention_layernorm")),)
    )
    found |= {"ln1.out": ln1, "attn.rot_q": rotated(q), "attn.rot_k": rotated(k)}
    found |= {"attn.scores_raw": raw, "attn.scores": scores, "attn.pattern": scores.softmax(-1)}
    return found | {"attn_out": attn_out, "resid_post": post["resid_post"]}, wrong


def publish(weights: dict[str, Tensor], folder: Path) -> None:
    """The published figures, in which those of layer 0 are of these weights."""
    right, wrong = layer_0(weights)
    figures = json.loads(json.dumps(FIGURES))
    records = {r["name"].removeprefix("blocks.0."): r for r in figures["activations"]}
    mistaken = {r["name"]: r for r in figures["computed_from_the_wrong_residual"]["values"]}
    for table, found in ((records, right), (mistaken, wrong)):
        for name, value in found.items():
            record = table[name]
            assert record["shape"] == list(value.shape), name
            for axis, indices in record.get("visible", {}).items():
                value = value.index_select(record["axes"].index(axis), torch.tensor(indices))
            flat = [x if math.isfinite(x) else "-inf" for x in value.flatten().tolist()]
            rounded = [x if isinstance(x, str) else round(x, 4) for x in flat]
            record["values"] = _shaped(rounded, list(value.shape))
    folder.mkdir()
    (folder / "figures.json").write_text(json.dumps(figures))
    shutil.copy(PACKS / "aitana-2b-s-published" / SAMPLED, folder)
    build_pack(folder / "figures.json").write(folder / "published")


def _shaped(flat: list[Any], shape: list[int]) -> Any:
    if len(shape) == 1:
        return flat
    step = len(flat) // shape[0]
    return [_shaped(flat[i : i + step], shape[1:]) for i in range(0, len(flat), step)]


# -- what follows -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In a folder as the hub's cache has it, which says what is in it, and of which commit."""
    cache = tmp_path_factory.mktemp("aitana")
    folder = cache / "models--gplsi--Aitana-2B-S" / "snapshots" / PINNED[ID]
    publish(make_checkpoint(folder), cache / "packs")
    return folder


def use_figures_of(checkpoint: Path, patch: pytest.MonkeyPatch) -> None:
    course = replace(find_course(), packs=checkpoint.parents[2] / "packs")
    for command in ("capture", "verify"):
        patch.setattr(f"token_journey.commands.{command}.find_course", lambda: course)


@pytest.fixture
def figures(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_figures_of(checkpoint, monkeypatch)


@pytest.fixture(scope="module")
def pack(checkpoint: Path) -> Path:
    """What `token-journey capture … --stream --layers 0` makes, and finds nothing wrong with."""
    out = checkpoint.parents[2] / "pack"
    with pytest.MonkeyPatch.context() as patched:
        use_figures_of(checkpoint, patched)
        assert (
            main(["capture", str(checkpoint), "--stream", "--layers", "0", "--out", str(out)]) == 0
        )
    return out


def copied(pack: Path, folder: Path, **model: str) -> Path:
    """The pack again, of which other things may be said."""
    folder.mkdir()
    for path in pack.iterdir():
        (folder / path.name).hardlink_to(path)
    manifest = json.loads((pack / "pack.json").read_text())
    manifest["model"] |= model
    for name in ("pack.json", "pack.sha256"):
        (folder / name).unlink()
    (folder / "pack.json").write_text(json.dumps(manifest))
    seal(folder)
    return folder


def alter(pack: Path, file: str, key: str, at: tuple[int, ...], by: float) -> None:
    """Change one number of a pack, which goes on vouching for itself."""
    tensors = load_file(pack / file)
    tensors[key][at] += by
    (pack / file).unlink()
    save_file(tensors, pack / file)
    manifest = json.loads((pack / "pack.json").read_text())
    manifest["files"][file]["sha256"] = sha256_of(pack / file)
    (pack / "pack.json").write_text(json.dumps(manifest))
    seal(pack)


def refused(pack: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What `token-journey verify` says of the first figure that differs."""
    capsys.readouterr()
    assert main(["verify", str(pack)]) == 1
    said = capsys.readouterr()
    assert "DIFFERS" in said.out and said.err.count("\n") == 1
    return said.err


def test_all_that_was_published_of_layer_0_matches(
    pack: Path, figures: None, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = Pack(pack)
    assert opened.model["id"] == ID and opened.model["revision"] == PINNED[ID]
    assert opened.model["parameters"] == FIGURES["model"]["parameters"]
    assert list(opened.prompts["aco"].ids) == PROMPT["token_ids"]
    assert main(["verify", str(pack)]) == 0
    said = capsys.readouterr().out
    lines = {line.split("  ")[0]: line for line in said.splitlines()}
    absent = {name for name, line in lines.items() if line.endswith("not in this pack")}
    assert absent == {*(f"blocks.{n}.resid_post" for n in range(1, 23)), "ln_final.out"}
    # Ids, corners, and every number of layer 0; one more for the revision.
    here = [r for r in FIGURES["activations"] if r["name"] not in absent]
    numbers = sum(torch.tensor(_finite(r["values"])).numel() for r in here) + 8 * 100 + 5 + 17 + 1
    assert f"{numbers} numbers match what was published; 23 records are not in" in said
    compared = (
        "17 of 40 published records could be compared; not blocks.1.resid_post to ln_final.out."
    )
    assert compared in said


def _finite(values: Any) -> Any:
    return [_finite(v) for v in values] if isinstance(values, list) else float(values)


def test_a_wrong_revision(
    pack: Path, figures: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = copied(pack, tmp_path / "pack", revision="0123abc")
    told = refused(other, capsys)
    assert "which would mean another commit of the checkpoint" in told
    assert f"the pack is of revision 0123abc, published is {PINNED[ID]}" in told


def test_one_altered_weight(
    pack: Path, figures: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, other = "model.layers.0.mlp.down_proj.weight", copied(pack, tmp_path / "pack")
    alter(other, "weights.safetensors", name, (2045, 5437), 0.001)
    told = refused(other, capsys)
    assert f"{name} at row 2045, column 5437 is" in told
    assert "which would mean weights of another revision, or rounded to another dtype" in told


def test_one_altered_number_of_one_head(
    pack: Path, figures: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of z was printed, so no head can differ unseen."""
    name, other = "blocks.0.attn.z", copied(pack, tmp_path / "pack")
    alter(other, "activations.safetensors", f"aco/{name}", (9, 3, 77), 0.0002)
    told = refused(other, capsys)
    assert f"{name} at head 9, token 3, dim 77 is" in told and "would mean values of" in told


def test_one_altered_weight_of_the_checkpoint(
    checkpoint: Path, figures: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In no printed corner; what is computed with it is printed."""
    whole = LlamaDecoderLayer.forward

    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        self.self_attn.v_proj.weight[700, 900] = 1.0
        return whole(self, *args, **kwargs)

    out = tmp_path / "pack"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(LlamaDecoderLayer, "forward", forward)
        capture = ["capture", str(checkpoint), "--stream", "--layers", "0", "--out", str(out)]
        assert main(capture) == 1
    # Row 700 of v is dimension 60 of head 5, which was not printed; z was, as a whole.
    assert "blocks.0.attn.z at head 5, token 0, dim 60 is" in refused(out, capsys)


def test_the_residual_added_to_the_normalised_input(
    checkpoint: Path, figures: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def forward(self: Any, hidden_states: Tensor, **kwargs: Any) -> Tensor:
        normed = self.input_layernorm(hidden_states)
        stream: Tensor = normed + self.self_attn(hidden_states=normed, **kwargs)[0]
        return stream + self.mlp(self.post_attention_layernorm(stream))

    out = tmp_path / "pack"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(LlamaDecoderLayer, "forward", forward)
        capture = ["capture", str(checkpoint), "--stream", "--layers", "0", "--out", str(out)]
        assert main(capture) == 1
    told = refused(out, capsys)
    assert "blocks.0.resid_post at token 0, hidden 0 is" in told
    assert "adding the output of attention to the normalised input" in told
