"""Grading by packs of one's own: whole layers, slices, and models beyond the kata's stages."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from checkpoints import captured, make
from graded import Graded, grade

from token_journey.course.course import find_course
from token_journey.packs.pack import Pack

pytestmark = pytest.mark.slow

SIZES = {"num_attention_heads": 12, "num_key_value_heads": 4, "intermediate_size": 300}
WHOLE_LAYERS = {
    "test_layers_of_the_model",
    "test_a_layer_hands_its_cache_on",
}
WHOLE_MODEL = {
    *("test_the_model_from_its_token_ids", "test_piece_by_piece", "test_positions"),
    *("test_each_layer_has_its_cache", "test_the_model_after_its_prompt"),
    *("test_what_the_model_wrote", "test_what_choose_is_handed"),
}


def pack_of(folder: Path, wishes: dict[str, Any] | None = None, **model: Any) -> Pack:
    source = make(folder / "model", **SIZES | model)
    return captured(source, folder / "mine", streamed=True, **wishes or {})[0]


def graded(pack: Pack, *more: str, stages: Path | None = None) -> Graded:
    folder = stages or find_course().reference
    return grade(folder, options=("--pack", str(pack.folder), "-k", "mine", *more))


def absent(result: Graded) -> set[str]:
    return {a["check"].partition("[")[0] for a in result.reports if a["kind"] == "absent"}


def held(result: Graded) -> set[str]:
    return {a["check"].partition("[")[0] for a in result.reports if a["kind"] == "passed"}


def test_all_layers_are_graded_like_any_pack(tmp_path: Path) -> None:
    result = graded(pack_of(tmp_path, {"layers": "all"}))
    assert result.exit_code == 0 and not absent(result)
    assert held(result) >= WHOLE_LAYERS | WHOLE_MODEL


def test_a_slice_is_graded_by_every_stage_that_it_can(tmp_path: Path) -> None:
    pack = pack_of(tmp_path, {"sliced": True, "layers": (0, 2)})
    result = graded(pack)
    assert result.exit_code == 0, result.output
    assert absent(result) == WHOLE_LAYERS | WHOLE_MODEL
    stages = {about["stage"] for about in result.reports if about["kind"] == "passed"}
    assert [stage[:3] for stage in sorted(stages)] == [f"s{n:02}" for n in (1, 2, 3, 4, 5, 6, 8, 9)]


def test_some_layers_are_graded_without_the_whole_model(tmp_path: Path) -> None:
    result = graded(pack_of(tmp_path, {"layers": (0, 2)}))
    assert result.exit_code == 0
    assert absent(result) == WHOLE_MODEL | {"test_a_layer_hands_its_cache_on"}


def test_the_first_layer_alone(tmp_path: Path) -> None:
    result = graded(pack_of(tmp_path, {"layers": (0,)}))
    assert result.exit_code == 0
    assert absent(result) >= WHOLE_MODEL | {"test_real_greedy"}
    assert held(result) >= {"test_layers_of_the_model", "test_the_heads_of_the_model"}


# -- neither passed nor failed ------------------------------------------------------------


def test_what_is_not_there_counts_neither_way(tmp_path: Path) -> None:
    pack, report = pack_of(tmp_path, {"sliced": True, "layers": (0, 2)}), tmp_path / "report.xml"
    course = find_course()
    stages = course.reference / "s07_decoder.py"
    result = grade(stages, options=("--pack", str(pack.folder), f"--junitxml={report}"))
    assert result.exit_code == 0
    without = grade(stages)
    kinds = [about["kind"] for about in result.reports]
    assert kinds.count("passed") == len(without.reports) and "failed" not in kinds
    count = kinds.count("absent")
    assert count == 6
    assert f"done; {count} not on this pack" in result.output
    assert "6 checks are not on mine: it holds a slice of each layer." in result.output
    assert f"{count} not on this pack in" in result.output
    assert report.read_text().count("<skipped") == count
    assert "not on mine: it holds a slice of each layer" in report.read_text()


def test_only_packs_that_were_asked_for_say_so() -> None:
    assert "not on this pack" not in grade(find_course().reference / "s07_decoder.py").output


def test_over_several_processes(tmp_path: Path) -> None:
    pack = pack_of(tmp_path, {"sliced": True, "layers": (0, 2)})
    result = graded(pack, "-n", "2")
    assert result.exit_code == 0 and absent(result) == WHOLE_LAYERS | WHOLE_MODEL


# -- models beyond the stages ----------------------------------------------------------------


@pytest.mark.parametrize("sliced", [False, True])
def test_biases(tmp_path: Path, sliced: bool) -> None:
    """Where a projection has a bias, the kata's formula is another one."""
    wishes = {"sliced": True, "layers": (0, 2)} if sliced else {"layers": "all"}
    pack = pack_of(tmp_path, wishes, kind="qwen2", head_dim=None)
    assert pack.beyond == {"biases": "attention"}
    result = graded(pack)
    assert result.exit_code == 0, result.output
    inside = {"test_the_heads_of_the_model", "test_what_the_model_computed"}
    assert absent(result) == WHOLE_LAYERS | WHOLE_MODEL | inside
    assert held(result) >= {"test_the_pattern_of_the_model", "test_silu_of_real_gates"}


@pytest.mark.parametrize("sliced", [False, True])
def test_scaled_angles(tmp_path: Path, sliced: bool) -> None:
    """Layers are handed their tables, so only who makes them can't be judged."""
    wishes = {"sliced": True, "layers": (0, 2)} if sliced else {"layers": "all"}
    rope = {"rope_type": "linear", "rope_theta": 500.0, "factor": 4.0}
    pack = pack_of(tmp_path, wishes, rope_parameters=rope)
    assert pack.beyond == {"scaled RoPE": "linear, factor 4.0"}
    result = graded(pack)
    assert result.exit_code == 0, result.output
    whole = WHOLE_MODEL | {"test_the_tables_of_the_model"}
    assert absent(result) == (whole | WHOLE_LAYERS if sliced else whole)


# -- and wrong code fails -----------------------------------------------------------------------

MISTAKES = {
    "s03_rms_norm": "def rms_norm(x, weight, eps):\n    return x * weight\n",
    "s04_rope": "def apply_rope(x, cos, sin):\n    return x * cos - rotate_half(x) * sin\n",
    "s05_attention": "def repeat_kv(x, n_groups):\n    return torch.cat([x] * n_groups, dim=-3)\n",
    "s06_swiglu": "def silu(x):\n    return x * torch.sigmoid(1.1 * x)\n",
    "s08_lm_head": "def lm_head(x, norm_weight, w_vocab, eps):\n    return x @ w_vocab.mT\n",
    "s09_softmax": "def softmax(logits, dim=-1):\n    return torch.sigmoid(logits)\n",
}


def test_wrong_code_fails_on_a_slice_alone(tmp_path: Path) -> None:
    pack = pack_of(tmp_path, {"sliced": True, "layers": (0, 2)})
    folder = tmp_path / "wrong"
    shutil.copytree(find_course().reference, folder)
    for stage, code in MISTAKES.items():
        with (folder / f"{stage}.py").open("a") as file:
            file.write(f"\n\n{code}")
    result = graded(pack, stages=folder)
    failed = {about["stage"] for about in result.reports if about["kind"] == "failed"}
    assert failed >= {*MISTAKES}
