"""Aitana-2B-S's published figures: what closes on them, and what is not the model's.

Every number was printed with four decimals, so it lies within HALF of the true
one. A check allows what those halves can add up to, no more.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import silu

from token_journey.capture.recipes.published import PRINTED as HALF
from token_journey.capture.recipes.published import SAMPLED, build_pack
from token_journey.course.course import find_course
from token_journey.errors import PackError
from token_journey.packs.pack import Pack
from token_journey.packs.verify import verify

PACKS = find_course().packs

FOLDER = PACKS / "aitana-2b-s-published"
ATTENTION = "blocks.0.attn."


@pytest.fixture(scope="module")
def pack() -> Pack:
    return Pack(FOLDER)


def read(pack: Pack, *names: str) -> list[Tensor]:
    """In float64, so that no rounding adds to the printed one."""
    return [pack.activation("aco", name).double() for name in names]


def farthest(a: Tensor, b: Tensor) -> float:
    """The largest distance; −inf is at −inf."""
    return torch.where(a == b, 0.0, a - b).abs().max().item()


class TestWhatCloses:
    def test_scale_mask_softmax(self, pack: Pack) -> None:
        raw, scores, pattern = read(
            pack, *(ATTENTION + n for n in ("scores_raw", "scores", "pattern"))
        )
        assert raw.shape == (16, 5, 5)
        future = torch.ones(5, 5).triu(1).bool()
        scaled = (raw / 128**0.5).masked_fill(future, -torch.inf)
        assert farthest(scaled, scores) <= HALF * (1 + 128**-0.5)
        # A score that is off by h shifts a probability by at most h/2.
        assert farthest(scores.softmax(-1), pattern) <= HALF * 1.5
        assert farthest(scaled.softmax(-1), pattern) <= 0.00006

    def test_pattern_times_values(self, pack: Pack) -> None:
        pattern, v, z = read(pack, *(ATTENTION + n for n in ("pattern", "v", "z")))
        seen = list(pack.activation_entry("aco", ATTENTION + "v").visible[2])
        assert len(seen) == 10
        # Five terms, and each carries the rounding of both its factors.
        most = HALF * (1 + 1 + 5 * v.abs().max().item())
        assert farthest(pattern @ v, z[..., seen]) <= min(most, 0.0001005)

    def test_merged_heads(self, pack: Pack) -> None:
        z, flat = read(pack, ATTENTION + "z", ATTENTION + "z_flat")
        seen = list(pack.activation_entry("aco", ATTENTION + "z_flat").visible[1])
        assert torch.equal(z.transpose(0, 1).reshape(5, 2048)[:, seen], flat)

    def test_split_heads(self, pack: Pack) -> None:
        for part in "qkv":
            split, flat = read(pack, ATTENTION + part, f"{ATTENTION}{part}_flat")
            # The first five dimensions of the first head, the last five of the last.
            assert torch.equal(split[0, :, :5], flat[:, :5])
            assert torch.equal(split[15, :, 5:], flat[:, 5:])

    def test_gated(self, pack: Pack) -> None:
        """They follow the wrong residual, but among themselves they are right."""
        gate, act, up, post = (
            pack.apart(f"wrong_residual/mlp.{n}").double()
            for n in ("gate", "gate_act", "up", "post")
        )
        # SiLU's slope is at most 1.1.
        assert farthest(silu(gate), act) <= HALF * 2.1
        assert farthest(act * up, post) <= 0.00006
        assert farthest(silu(gate) * up, post) <= HALF * (
            1 + 1.1 * up.abs().max() + act.abs().max()
        )

    def test_rope_leaves_position_zero(self, pack: Pack) -> None:
        for part in "qk":
            before, after = read(pack, ATTENTION + part, f"{ATTENTION}rot_{part}")
            assert torch.equal(after[:, 0], before[:, 0])
            assert not torch.equal(after[:, 1], before[:, 1])

    def test_rope_does_not_pair_neighbours(self, pack: Pack) -> None:
        q, rotated = read(pack, ATTENTION + "q", ATTENTION + "rot_q")
        position = torch.arange(5.0, dtype=torch.float64)
        # Dimensions 0 and 1 turn by the position itself, if they are a pair at all.
        wrong = q[..., 0] * position.cos() - q[..., 1] * position.sin()
        off = (wrong - rotated[..., 0]).abs().mean().item()
        assert off == pytest.approx(0.30, abs=0.005)
        assert rotated[..., 0].abs().mean().item() == pytest.approx(0.41, abs=0.005)


class TestWhatIsNotTheModels:
    def test_it_is_apart(self, pack: Pack) -> None:
        groups = {name.partition("/")[0] for name in pack.apart_names}
        assert groups == {"wrong_residual", "second_final_norm"}
        assert len(pack.apart_names) == 9
        for name in pack.apart_names:
            inner = name.partition("/")[2]
            assert inner not in ("logits", "mlp.gate") or not pack.has_activation("aco", inner)
            assert not pack.has_activation("aco", name)
            assert not pack.has_activation("aco", f"blocks.0.{inner}") or inner == "resid_post"
            assert "notebook" in pack.why_apart(name) or "cell" in pack.why_apart(name)
        assert not pack.has_activation("aco", "logits")
        assert not pack.has_activation("aco", "blocks.0.resid_mid")

    def test_the_sum_with_the_normalised_input_is_what_was_printed(self, pack: Pack) -> None:
        stream, normalised, out = read(pack, "embed", "blocks.0.ln1.out", "blocks.0.attn_out")
        printed = pack.apart("wrong_residual/resid_mid").double()
        # Two printed numbers and their printed sum.
        assert farthest(normalised + out, printed) <= 3 * HALF
        assert farthest(stream + out, printed) == pytest.approx(0.75, abs=0.01)

    def test_its_layer_is_not_the_models(self, pack: Pack) -> None:
        (model,) = read(pack, "blocks.0.resid_post")
        theirs = pack.apart("wrong_residual/resid_post").double()
        assert farthest(model, theirs) == pytest.approx(0.75, abs=0.05)

    def test_normalised_twice(self, pack: Pack) -> None:
        once = read(pack, "ln_final.out")[0]
        twice = pack.apart("second_final_norm/ln_final.out").double()
        assert farthest(once, twice) > 0.5
        # A second norm multiplies each dimension by its gain, and each token by a number:
        # so between two tokens the ratio of ratios is the same in every dimension.
        ratio = twice / once
        solid = (once.abs() > 0.5).all(0)
        assert solid.any()
        per_token = ratio[:, solid] / ratio[:1, solid]
        spread = per_token.max(-1).values - per_token.min(-1).values
        assert (spread / per_token.mean(-1).abs()).max() < 0.002


def test_facts(pack: Pack) -> None:
    assert pack.config.num_key_value_heads == 16 and pack.config.rope_theta == 10000.0
    assert pack.prompts["aco"].ids == (1, 125647, 594, 785, 889)
    assert pack.prompts["spelling"].pieces[1:3] == ("anx", "ova")
    facts = pack.manifest["vocabulary_facts"]
    assert facts["special_tokens"]["<|im_end|>"] == 5 and facts["last_entries"]["255999"] == "，"
    assert pack.manifest["source"]["repository"] == "Notrito/token-journey"
    assert pack.manifest["apart"]["second_final_norm"]["top5"][0] == [594, "es", 0.0599]
    c = pack.config
    attention = 4 * c.hidden_size**2
    layer = attention + 3 * c.hidden_size * c.intermediate_size + 2 * c.hidden_size
    total = 2 * c.vocab_size * c.hidden_size + c.num_hidden_layers * layer + c.hidden_size
    assert total == pack.manifest["model"]["parameters"] == 2_253_490_176


def test_every_figure_is_there(pack: Pack) -> None:
    """The pack holds each printed number, at the index it was printed for."""
    figures = json.loads((FOLDER / "figures.json").read_text())
    for record in figures["activations"]:
        entry = pack.activation_entry("aco", record["name"])
        assert entry.tolerance == entry.end_to_end == HALF
        kept = [tuple(v) for v in record.get("visible", {}).values()]
        assert list(entry.visible.values()) == kept
        printed = torch.tensor([float(x) for x in _flat(record["values"])])
        assert torch.equal(pack.activation("aco", record["name"]).flatten(), printed)
    for record in figures["weights"]:
        assert not pack.weight_entry(record["name"]).complete
        printed = torch.tensor([float(x) for x in _flat(record["values"])])
        assert torch.equal(pack.weight(record["name"]).flatten(), printed)


def _flat(values: list[object]) -> list[str]:
    return [x for v in values for x in (_flat(v) if isinstance(v, list) else [str(v)])]


def test_the_sampled_text(pack: Pack) -> None:
    """It is in pack.json as it was transcribed, and goes the way of every file of a pack."""
    content = (FOLDER / SAMPLED).read_bytes()
    assert pack.manifest["sampled_text"] == json.loads(content)
    assert pack.manifest["files"][SAMPLED]["bytes"] == len(content)
    assert pack.manifest["sampled_text"]["seed"] == "not set, so it can't be repeated"
    assert "continuation of it that was printed" in (FOLDER.parents[1] / "NOTICE").read_text()


def test_what_the_first_difference_would_mean(pack: Pack) -> None:
    """Each published record has a meaning of its kind, whichever differs first."""
    records = verify(pack, pack)
    assert [r.walked for r in records].count(True) == 40
    meanings = {record.name: record.meaning for record in records}
    assert "another computation of it" not in meanings.values()
    for name, means in {
        "revision": "commit",
        "ids of “açò es or...”": "tokenizer",
        "lm_head.weight": "dtype",
        "embed": "dtype",
        "blocks.0.attn.rot_k": "RoPE",
        "blocks.0.attn.scores": "head_dim",
        "blocks.0.attn.z_flat": "heads",
        "blocks.0.resid_post": "residual",
        "blocks.22.resid_post": "bfloat16",
        "ln_final.out": "norm",
    }.items():
        assert means in meanings[name], name


def test_without_the_sampled_text(tmp_path: Path) -> None:
    (tmp_path / "figures.json").write_bytes((FOLDER / "figures.json").read_bytes())
    with pytest.raises(PackError, match=r"sampled_text\.json can't be read"):
        build_pack(tmp_path / "figures.json")


def test_unreadable_figures(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="git checkout packs"):
        build_pack(tmp_path / "figures.json")
