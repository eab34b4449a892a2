"""verify: a captured pack beside published figures, and every way in which it can fail.

The figures here are of a small random model, printed as Aitana's were: four
decimals, the first five and the last five of each long axis.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import captured, make
from safetensors.torch import load_file, save_file
from transformers.models.llama.modeling_llama import LlamaDecoderLayer

from token_journey.capture.recipes.published import PRINTED
from token_journey.capture.selection import ends
from token_journey.commands.main import main
from token_journey.course.course import find_course
from token_journey.errors import Differs
from token_journey.llama.names import describe
from token_journey.packs.manifest import seal
from token_journey.packs.pack import Pack
from token_journey.packs.verify import Figure, report, verify
from token_journey.packs.writer import PackWriter

PACKS = find_course().packs

SHAPE = {"num_attention_heads": 6, "num_key_value_heads": 6, "num_hidden_layers": 4}
LAYER_0 = (
    *("ln1.out", "attn.q", "attn.k", "attn.v", "attn.rot_q", "attn.rot_k", "attn.scores_raw"),
    *("attn.scores", "attn.pattern", "attn.z", "attn_out"),
)
FLAT = ("attn.q", "attn.k", "attn.v", "attn.z")


def printed(value: torch.Tensor) -> torch.Tensor:
    """With four decimals."""
    return (value.double() * 10_000).round().div(10_000).float()


def publish(pack: Pack, folder: Path, revision: str | None) -> None:
    """Print of a pack what the notebook printed of Aitana."""
    writer = PackWriter(
        "figures",
        "Small (published figures)",
        pack.config,
        {**pack.model, "revision": revision},
        {"precision": "four decimals"},
    )
    prompt = pack.prompts["one"]
    writer.add_prompt(prompt)

    def add(name: str, value: torch.Tensor, axes: tuple[str, ...]) -> None:
        long = {a: ends(value.shape[a]) for a, axis in enumerate(axes) if axis in ("hidden", "dim")}
        cut = value
        for axis, indices in long.items():
            cut = cut.index_select(axis, torch.tensor(indices))
        writer.add_activation("one", name, printed(cut), PRINTED, PRINTED, long)

    layers = range(pack.config.num_hidden_layers)
    names = ["embed", *(f"blocks.0.{name}" for name in LAYER_0)]
    names += [f"blocks.{layer}.resid_post" for layer in layers] + ["ln_final.out"]
    for name in names:
        add(name, pack.activation("one", name), describe(name).axes)
    for name in FLAT:
        heads = pack.activation("one", f"blocks.0.{name}")
        add(f"blocks.0.{name}_flat", heads.transpose(0, 1).flatten(1), ("token", "hidden"))
    for name in pack.weight_names():
        weight = pack.weight(name)
        if "layers.0." in name and weight.ndim == 2:
            corner = {axis: ends(size) for axis, size in enumerate(weight.shape)}
            for axis, indices in corner.items():
                weight = weight.index_select(axis, torch.tensor(indices))
            writer.add_weight(name, printed(weight), PRINTED, corner)
    writer.write(folder / "figures")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("verify") / "model", **SHAPE)


@pytest.fixture(scope="module")
def figures(model: Path) -> Path:
    """A folder with the figures, printed from a capture of the whole model."""
    pack, _ = captured(model, model.parent / "whole", layers="all")
    publish(pack, model.parent / "published", revision=None)
    return model.parent / "published"


def records(pack: Pack, figures: Path) -> dict[str, Figure]:
    return {record.name: record for record in verify(pack, Pack(figures / "figures"))}


def test_what_was_published_matches(model: Path, figures: Path, tmp_path: Path) -> None:
    pack, _ = captured(model, tmp_path / "pack", streamed=True, layers=(0, 3))
    told = report(pack, figures)
    assert "match what was published" in told and "DIFFERS" not in told
    found = records(pack, figures)
    numbers = {r.name: r.published for r in found.values()}
    assert all(r.compared == r.published for r in found.values() if r.name != "revision")
    tokens = len(pack.prompts["one"].ids)
    assert numbers["blocks.2.resid_post"] == 10 * tokens
    assert numbers["blocks.0.attn.scores"] == 6 * tokens**2
    assert numbers["blocks.0.attn.z_flat"] == 10 * tokens
    assert numbers["model.layers.0.mlp.down_proj.weight"] == 100


def test_layer_0_is_enough_for_layer_0(model: Path, figures: Path, tmp_path: Path) -> None:
    pack, _ = captured(model, tmp_path / "pack", streamed=True, layers=(0,))
    found = records(pack, figures)
    for name, record in found.items():
        here = not name.startswith(("blocks.1", "blocks.2", "blocks.3", "ln_final", "revision"))
        assert bool(record.compared) is here, name
        assert not record.first
    assert "records are not in this pack" in report(pack, figures)


def test_a_slice_is_compared_as_far_as_it_goes(model: Path, figures: Path, tmp_path: Path) -> None:
    pack, _ = captured(model, tmp_path / "pack", streamed=True, layers=(0, 3), sliced=True)
    found = records(pack, figures)
    assert not any(record.first for record in found.values())
    missing = [name for name, record in found.items() if not record.compared]
    assert missing == ["revision"]


# -- it can fail ------------------------------------------------------------------------


def first_difference(pack: Pack, figures: Path) -> str:
    with pytest.raises(Differs) as caught:
        report(pack, figures)
    table = caught.value.__notes__[0]
    assert "DIFFERS" in table and str(caught.value).count("\n") == 0
    return str(caught.value)


def changed(model: Path, folder: Path, name: str, index: tuple[int, ...], by: float) -> Path:
    """A copy of a checkpoint with one number of one weight changed."""
    shutil.copytree(model, folder)
    weights = load_file(folder / "model.safetensors")
    weights[name][index] += by
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def test_one_altered_weight_in_print(model: Path, figures: Path, tmp_path: Path) -> None:
    """It stands in a printed corner: the weight itself is named."""
    name = "model.layers.0.mlp.up_proj.weight"
    folder = changed(model, tmp_path / "model", name, (3, 4), 0.125)
    pack, _ = captured(folder, tmp_path / "pack", streamed=True, layers=(0, 3))
    assert f"{name} at row 3, column 4 is" in first_difference(pack, figures)


def test_one_altered_weight_out_of_print(model: Path, figures: Path, tmp_path: Path) -> None:
    """It stands in no printed corner, and what is computed with it gives it away."""
    name = "model.layers.2.self_attn.v_proj.weight"
    folder = changed(model, tmp_path / "model", name, (20, 20), 0.5)
    pack, _ = captured(folder, tmp_path / "pack", streamed=True, layers=(0, 3))
    assert "blocks.2.resid_post at token " in first_difference(pack, figures)
    assert not records(pack, figures)["blocks.1.resid_post"].first


def test_an_altered_weight_in_the_pack(model: Path, figures: Path, tmp_path: Path) -> None:
    """The pack was changed after it was captured, and vouches for itself."""
    pack, _ = captured(model, tmp_path / "pack", streamed=True, layers=(0,))
    writer = PackWriter("pack", pack.title, pack.config, pack.model, {})
    writer.add_prompt(pack.prompts["one"])
    for name in pack.weight_names():
        weight, entry = pack.weight(name), pack.weight_entry(name)
        if name == "model.layers.0.self_attn.q_proj.weight":
            weight[1, 2] += 0.001
        writer.add_weight(name, weight, visible={a: list(i) for a, i in entry.visible.items()})
    writer.write(tmp_path / "altered")
    assert "q_proj.weight at row 1, column 2" in first_difference(
        Pack(tmp_path / "altered"), figures
    )


def test_a_wrong_revision(model: Path, figures: Path, tmp_path: Path) -> None:
    """Another training run of the same shape; and a pack that says so itself."""
    other = make(tmp_path / "other", seed=2, **SHAPE)
    pack, _ = captured(other, tmp_path / "pack", streamed=True, layers=(0,))
    assert "weight at row 0, column 0" in first_difference(pack, figures)
    pack, _ = captured(model, tmp_path / "named", streamed=True, layers=(0,))
    pack.manifest["model"]["revision"] = "0123abc"
    published = Pack(figures / "figures")
    published.manifest["model"]["revision"] = "4567def"
    assert "0123abc" in verify(pack, published)[0].first


def test_the_residual_added_to_the_normalised_input(
    model: Path, figures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The notebook's own mistake: the attention is right, and what leaves layer 0 is not."""

    def forward(self: Any, hidden_states: torch.Tensor, **kwargs: Any) -> torch.Tensor:
        normed = self.input_layernorm(hidden_states)
        attended, _ = self.self_attn(hidden_states=normed, **kwargs)
        stream: torch.Tensor = normed + attended
        return stream + self.mlp(self.post_attention_layernorm(stream))

    monkeypatch.setattr(LlamaDecoderLayer, "forward", forward)
    pack, _ = captured(model, tmp_path / "pack", streamed=True, layers=(0, 3))
    assert "blocks.0.resid_post at token 0, hidden 0 is" in first_difference(pack, figures)
    found = records(pack, figures)
    assert not any(found[f"blocks.0.{name}"].first for name in LAYER_0)


# -- a pack decides nothing about its own verdict -----------------------------------------


def vouched_for(pack: Pack, folder: Path, activations: bool, factor: float) -> Pack:
    """The pack again, its activations or zeros, its tolerances as wide as it may claim."""
    writer = PackWriter("claims", pack.title, pack.config, pack.model, {})
    prompt = pack.prompts["one"]
    writer.add_prompt(prompt)
    for name in pack.activation_names(prompt.name):
        entry, value = pack.activation_entry(prompt.name, name), pack.activation("one", name)
        kept = {axis: list(indices) for axis, indices in entry.visible.items()}
        claimed = factor * (value[value.isfinite()].abs().max().item() or 1.0)
        claimed = 0.0 if name == "embed" else max(claimed, 1e-9)
        writer.add_activation(
            "one", name, value if activations else torch.zeros_like(value), claimed, claimed, kept
        )
    writer.write(folder)
    return Pack(folder)


def test_wide_tolerances_change_nothing(model: Path, figures: Path, tmp_path: Path) -> None:
    pack, _ = captured(model, tmp_path / "pack", streamed=True, layers=(0, 3))
    narrow, wide = (
        records(vouched_for(pack, tmp_path / str(factor), True, factor), figures)
        for factor in (1e-7, 1e-3)
    )
    here = [name for name in narrow if narrow[name].compared and "weight" not in name]
    assert len(here) > 10
    assert all(narrow[name] == wide[name] for name in here)


def test_nothing_but_zeros_differs(model: Path, figures: Path, tmp_path: Path) -> None:
    pack, _ = captured(model, tmp_path / "pack", streamed=True, layers=(0, 3))
    zeros = vouched_for(pack, tmp_path / "zeros", False, 1e-4)
    assert "embed at token 0, hidden 0 is 0, published" in first_difference(zeros, figures)
    found = records(zeros, figures)
    same = [name for name, record in found.items() if record.compared and not record.first]
    assert same == ["ids of “els camins de la mar”"]


@pytest.mark.parametrize("claimed", ["NaN", "Infinity", "1e999", "1e9", "-1.0", "0.0", "null"])
def test_tolerances_that_are_none_are_refused(
    claimed: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack, _ = captured(model, tmp_path / "pack", streamed=True, layers=(0,))
    manifest = pack.folder / "pack.json"
    said = json.loads(manifest.read_text())
    said["activations"]["one/blocks.0.attn.z"]["end_to_end"] = "here"
    manifest.write_text(json.dumps(said).replace('"here"', claimed))
    seal(pack.folder)
    assert main(["verify", str(pack.folder)]) == 1
    told = capsys.readouterr()
    assert told.err.count("\n") == 1 and str(manifest.parent) in told.err and not told.out


IDS = "token 1 is 537, published 125647"
NOTEBOOKS = "adding the output of attention to the normalised input"


def walked(folder: Path, **changes: torch.Tensor) -> Pack:
    """A pack of Aitana's published stream into layer 0, with what leaves it as is given."""
    published = Pack(PACKS / "aitana-2b-s-published")
    writer = PackWriter("pack", "Aitana-2B-S", published.config, published.model, {})
    writer.add_prompt(published.prompts["aco"])
    ends_of_hidden = {1: ends(published.config.hidden_size)}
    stream = {"resid_pre": published.activation("aco", "embed"), **changes}
    for name, value in stream.items():
        writer.add_activation("aco", f"blocks.0.{name}", value, 1e-5, 1e-5, ends_of_hidden)
    writer.write(folder)
    return Pack(folder)


def test_the_notebooks_mistake_is_recognised(tmp_path: Path) -> None:
    """By the figures that it printed; one of them that is another is not its mistake."""
    published = Pack(PACKS / "aitana-2b-s-published")
    mid, post = (published.apart(f"wrong_residual/resid_{part}") for part in ("mid", "post"))
    said = first_difference(walked(tmp_path / "same", resid_mid=mid, resid_post=post), PACKS)
    assert "blocks.0.resid_post at token 0" in said and NOTEBOOKS in said
    mid[3, 1] += 0.001
    other = walked(tmp_path / "other", resid_mid=mid, resid_post=post)
    assert NOTEBOOKS not in first_difference(other, PACKS)
    right = walked(
        tmp_path / "right", resid_post=published.activation("aco", "blocks.0.resid_post")
    )
    assert NOTEBOOKS not in report(right, PACKS)


def test_other_ids(model: Path, figures: Path, tmp_path: Path) -> None:
    pack, _ = captured(model, tmp_path / "pack", streamed=True, layers=(0,))
    ids = list(pack.prompts["one"].ids)
    shutil.copytree(figures / "figures", tmp_path / "published" / "figures")
    manifest = tmp_path / "published" / "figures" / "pack.json"
    text = manifest.read_text().replace(str(ids), str([*ids[:2], 7, *ids[3:]]))
    manifest.write_text(text)
    seal(manifest.parent)
    assert f"token 2 is {ids[2]}, published 7" in first_difference(pack, tmp_path / "published")


# -- the command ----------------------------------------------------------------------------


def test_exit_codes(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack, _ = captured(model, tmp_path / "pack", streamed=True, layers=(0,))
    assert main(["verify", str(pack.folder)]) == 1
    assert "Nothing that was published" in capsys.readouterr().err
    assert main(["verify", str(tmp_path / "nowhere")]) == 1
    assert "There is no pack" in capsys.readouterr().err
    assert main(["verify", str(PACKS / "aitana-2b-s-published")]) == 0
    assert "match what was published" in capsys.readouterr().out


def test_a_folder_named_as_the_model_is_held_against_its_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a prompt it walks those that were published; it is another model, and told so."""
    folder, out = make(tmp_path / "Aitana-2B-S"), str(tmp_path / "pack")
    capsys.readouterr()  # transformers' bar while it saves
    assert main(["capture", str(folder), "--stream", "--layers", "0", "--out", out]) == 1
    said = capsys.readouterr()
    assert "ids of “açò es or...”" in said.out and "DIFFERS" in said.out
    means = "which would mean another tokenizer, or a begin token too many or too few"
    assert said.err == f"token-journey: {out} is not what was published: {IDS}, {means}.\n"
    assert {*Pack(tmp_path / "pack").prompts} == {"aco", "spelling"}


def test_aitanas_own_figures_are_all_compared() -> None:
    """Held against themselves, all 24 hidden states, both texts and the corners are counted."""
    pack = Pack(PACKS / "aitana-2b-s-published")
    found = {record.name: record for record in verify(pack, pack)}
    streams = [f"blocks.{layer}.resid_post" for layer in range(23)]
    for name in ["embed", *streams, "ln_final.out", "lm_head.weight"]:
        assert found[name].compared == found[name].published > 0, name
    assert all(record.compared == record.published for record in found.values())
