"""Capture: it sees what transformers computes, changes nothing, and can be repeated."""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import LlamaForCausalLM

from token_journey.capture.recipes.in_memory import all_activations
from token_journey.capture.recipes.rebuild import RECIPES, rebuild
from token_journey.capture.recipes.witnesses import WITNESSES, build_model
from token_journey.course.course import find_course
from token_journey.models.hooks import record
from token_journey.models.precision import Widened
from token_journey.packs.manifest import ACTIVATIONS, MANIFEST
from token_journey.packs.pack import Pack

PACKS = find_course().packs

COMPUTED = [name for name in RECIPES if name != "aitana-2b-s-published"]


@pytest.fixture(params=WITNESSES)
def witness(request: pytest.FixtureRequest) -> Pack:
    return Pack(PACKS / request.param)


@pytest.fixture(params=COMPUTED)
def pack(request: pytest.FixtureRequest) -> Pack:
    return Pack(PACKS / request.param)


def logits(model: LlamaForCausalLM, ids: tuple[int, ...], start: int, attention: str) -> Tensor:
    model.set_attn_implementation(attention)
    positions = torch.arange(start, start + len(ids))[None]
    with torch.no_grad():
        found: Tensor = model(torch.tensor([ids]), position_ids=positions, use_cache=False).logits
    return found[0]


# -- it is transformers' own computation ----------------------------------------


def test_logits_are_bit_identical_to_eager(witness: Pack) -> None:
    model = build_model(WITNESSES[witness.name])
    for prompt in witness.prompts.values():
        with torch.no_grad():
            found = record(model, prompt.ids, prompt.start)
        assert torch.equal(found["logits"], logits(model, prompt.ids, prompt.start, "eager"))


@pytest.mark.slow
def test_logits_of_the_real_model_are_too(whole_smollm2: Path) -> None:
    untyped: Any = LlamaForCausalLM
    model = untyped.from_pretrained(whole_smollm2).float()
    ids = Pack(PACKS / "smollm2-135m").prompts["accents"].ids
    with torch.no_grad():
        found = record(model, ids)
    assert torch.equal(found["logits"], logits(model, ids, 0, "eager"))


def test_recording_leaves_no_trace() -> None:
    model = build_model(WITNESSES["witness-mqa"])
    before = model.config._attn_implementation
    hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()]
    record(model, [1, 2, 3])
    assert model.config._attn_implementation == before
    assert hooks == [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()]


def test_every_name_is_seen_in_every_layer(witness: Pack) -> None:
    # What a layer is known by; ln1.scale and ln2.scale are seen by nobody.
    inside = {
        *("resid_pre", "ln1.out", "attn.q", "attn.k", "attn.v", "attn.rot_q", "attn.rot_k"),
        *("attn.scores_raw", "attn.scores", "attn.pattern", "attn.z", "attn_out", "resid_mid"),
        *("ln2.out", "mlp.gate", "mlp.gate_act", "mlp.up", "mlp.post", "mlp_out", "resid_post"),
    }
    layers = range(witness.config.num_hidden_layers)
    expected = {f"blocks.{layer}.{name}" for layer in layers for name in inside}
    expected |= {"embed", "rotary.cos", "rotary.sin", "ln_final.out", "logits", "logits.last"}
    expected |= {"probs.last", "warped.temperature=0.7", "warped.top_k=5", "warped.top_p=0.9"}
    expected |= {"warped.temperature=0.7,top_k=20,top_p=0.8"}
    for prompt in witness.prompts:
        assert set(witness.activation_names(prompt)) == expected


def test_float64_is_float64_throughout() -> None:
    """transformers' norms, RoPE and softmax would round to float32 on the way."""
    model = build_model(WITNESSES["witness-gqa"]).double()
    with torch.no_grad(), Widened():
        model.model.rotary_emb = type(model.model.rotary_emb)(model.config)
        found = record(model, [5, 300, 17, 4], start=3)
    for name, value in found.items():
        assert value.dtype == torch.float64, name
        if name not in ("embed", "blocks.0.resid_pre"):
            finite = value[value.isfinite()]
            assert not torch.equal(finite, finite.float().double()), name


def test_only_float32_is_captured() -> None:
    with pytest.raises(ValueError, match="float32"):
        all_activations(build_model(WITNESSES["witness-mqa"]).bfloat16(), [1])


# -- tolerances -------------------------------------------------------------------


def test_tolerances_are_there_and_small(pack: Pack) -> None:
    for prompt in pack.prompts:
        for name in pack.activation_names(prompt):
            entry = pack.activation_entry(prompt, name)
            if entry.stored_as.endswith("/embed"):
                assert entry.tolerance == entry.end_to_end == 0
                continue
            value = pack.activation(prompt, name)
            largest = value[value.isfinite()].abs().max().item()
            spacing = math.ldexp(1.0, math.frexp(largest)[1] - 24)
            # torch's softmax adds 49,152 small numbers one after the other; it loses 2e-5 of them.
            local = 2e-4 if name == "probs.last" else 5e-5
            for tolerance, most in ((entry.tolerance, local), (entry.end_to_end, 2e-4)):
                # A single token at position 0 has sines of nothing but 0.
                assert spacing <= tolerance < most * (largest or 1.0), name


def test_another_honest_implementation_lies_within(witness: Pack) -> None:
    """Other kernels that sum in another order: torch's own attention, all prompts at once."""
    model = build_model(WITNESSES[witness.name])
    for prompt in witness.prompts.values():
        other = logits(model, prompt.ids, prompt.start, "sdpa")
        expected = witness.activation(prompt.name, "logits")
        most = witness.activation_entry(prompt.name, "logits").end_to_end
        assert (other - expected).abs().max().item() <= most
        one_by_one = torch.stack(
            [model.lm_head(x) for x in _final(model, prompt.ids, prompt.start)]
        )
        assert (one_by_one - expected).abs().max().item() <= most


WITHIN = """
import sys
from pathlib import Path
import torch
from transformers import LlamaForCausalLM
from token_journey.models.hooks import record
from token_journey.packs.pack import Pack

model, pack = LlamaForCausalLM.from_pretrained(sys.argv[1]).float(), Pack(Path(sys.argv[2]))
for prompt in pack.prompts.values():
    with torch.no_grad():
        found = record(model, prompt.ids)
    for name in {*found} & {*pack.activation_names(prompt.name)}:
        entry, value = pack.activation_entry(prompt.name, name), found[name]
        for axis, indices in entry.visible.items():
            value = value.index_select(axis, torch.tensor(indices))
        off = (value - pack.activation(prompt.name, name)).nan_to_num(0.0).abs().max().item()
        assert off <= entry.end_to_end, f"{prompt.name}, {name}: {off:.2g}, {entry.end_to_end}"
        print(prompt.name, name)
"""


OTHER = [pytest.param(kernels, marks=pytest.mark.exam) for kernels in ("AVX2", "SSE4_2")]


@pytest.mark.slow
@pytest.mark.parametrize("kernels", ["AUTO", *OTHER])
def test_plain_transformers_lies_within_every_tolerance(kernels: str, whole_smollm2: Path) -> None:
    """On other processors torch sums in another order; the massive activations show it most."""
    done = subprocess.run(
        [sys.executable, "-c", WITHIN, str(whole_smollm2), str(PACKS / "smollm2-135m")],
        env={**os.environ, "MKL_CBWR": kernels},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 200


def _final(model: LlamaForCausalLM, ids: tuple[int, ...], start: int) -> Iterator[Tensor]:
    """The final norm's output, token by token, through a key/value cache."""
    cache = None
    for step, token in enumerate(ids):
        with torch.no_grad():
            out = model.model(
                torch.tensor([[token]]),
                position_ids=torch.tensor([[start + step]]),
                cache=cache,
                use_cache=True,
            )
        cache = out.past_key_values
        yield out.last_hidden_state[0, -1]


# -- what always holds ------------------------------------------------------------


@pytest.fixture(params=RECIPES)
def any_pack(request: pytest.FixtureRequest) -> Pack:
    return Pack(PACKS / request.param)


def prompts_with(pack: Pack, *names: str) -> Iterator[tuple[str, list[Tensor], list[int]]]:
    """Prompts and layers of which all the named activations are here, with their tensors."""
    for prompt in pack.prompts:
        for layer in range(pack.config.num_hidden_layers):
            full = [f"blocks.{layer}.{name}" for name in names]
            if all(pack.has_activation(prompt, name) for name in full):
                yield prompt, [pack.activation(prompt, name) for name in full], [layer]


def test_the_residual_stream_adds_up(pack: Pack) -> None:
    seen = 0
    for before, added, after in (
        ("resid_pre", "attn_out", "resid_mid"),
        ("resid_mid", "mlp_out", "resid_post"),
    ):
        for _, (x, y, z), _ in prompts_with(pack, before, added, after):
            assert torch.equal(x + y, z)
            seen += 1
    assert seen >= 4


def test_layers_hand_on_what_they_made(any_pack: Pack) -> None:
    for prompt in any_pack.prompts:
        if not any_pack.has_activation(prompt, "embed"):
            continue
        assert torch.equal(
            any_pack.activation(prompt, "blocks.0.resid_pre"), any_pack.activation(prompt, "embed")
        )
        for left, entered in pairwise(range(any_pack.config.num_hidden_layers)):
            a = any_pack.activation_entry(prompt, f"blocks.{left}.resid_post")
            b = any_pack.activation_entry(prompt, f"blocks.{entered}.resid_pre")
            assert a == b


def test_patterns_sum_to_one_and_see_no_future(any_pack: Pack) -> None:
    # Each of at most 48 numbers is rounded: float32's relative 6e-8, or a printed 0.00005.
    printed = any_pack.name == "aitana-2b-s-published"
    seen = 0
    for prompt, (pattern,), _ in prompts_with(any_pack, "attn.pattern"):
        length = len(any_pack.prompts[prompt].ids)
        most = 0.00005 * length if printed else 2**-24 * length
        assert (pattern.sum(-1) - 1).abs().max() <= most
        assert (pattern >= 0).all() and not pattern.triu(1).any()
        seen += 1
    assert seen


def test_scores_are_scaled_and_masked(any_pack: Pack) -> None:
    root = math.sqrt(any_pack.config.head_dim)
    for prompt, (raw, scores), (layer,) in prompts_with(any_pack, "attn.scores_raw", "attn.scores"):
        future = torch.ones_like(scores).triu(1).bool()
        assert (scores[future] == -math.inf).all() and scores[~future].isfinite().all()
        most = any_pack.activation_entry(prompt, f"blocks.{layer}.attn.scores").tolerance
        off = (raw / root - scores)[~future].abs().max().item()
        assert off <= most * (1 + 1 / root)


def test_rope_keeps_the_length_of_each_pair(pack: Pack) -> None:
    seen = 0
    for part in "qk":
        for prompt, (before, after), (layer,) in prompts_with(
            pack, f"attn.{part}", f"attn.rot_{part}"
        ):
            most = pack.activation_entry(prompt, f"blocks.{layer}.attn.rot_{part}").tolerance
            assert (_lengths(after) - _lengths(before)).abs().max() <= 2 * most
            if pack.prompts[prompt].start == 0:
                assert torch.equal(after[:, 0], before[:, 0])
            seen += 1
    assert seen


def _lengths(x: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    return torch.hypot(first, second)


def test_only_distance_matters() -> None:
    """The same tokens eleven places later: other angles, the same pattern."""
    pack = Pack(PACKS / "witness-mqa")
    assert pack.prompts["later"].start == 11
    for layer in range(2):
        name = f"blocks.{layer}.attn."
        here, later = (pack.activation(p, name + "pattern") for p in ("seven", "later"))
        most = pack.activation_entry("seven", name + "pattern").end_to_end
        assert (here - later).abs().max().item() <= 2 * most
        here, later = (pack.activation(p, name + "rot_q") for p in ("seven", "later"))
        assert (here - later).abs().max().item() > 0.1


def test_what_follows_the_logits(pack: Pack) -> None:
    for prompt in pack.prompts:
        if not pack.has_activation(prompt, "logits.last"):
            continue
        last, probs = (pack.activation(prompt, f"{name}.last") for name in ("logits", "probs"))
        rows = pack.activation_entry(prompt, "logits").visible.get(1, range(len(last)))
        assert torch.equal(pack.activation(prompt, "logits")[-1], last[list(rows)])
        assert abs(probs.double().sum().item() - 1) < 1e-4
        assert probs.argmax() == last.argmax()
        assert pack.activation(prompt, "warped.top_k=5").isfinite().sum() == 5
        kept = pack.activation(prompt, "warped.top_p=0.9").isfinite()
        best_first = probs[list(rows)][kept].sort(descending=True).values
        if len(rows) == len(probs):
            assert best_first.sum() >= 0.9 - 1e-6 and best_first[:-1].sum() < 0.9


def test_generations_start_with_the_best_token(pack: Pack) -> None:
    for generation in pack.generations:
        prompt = pack.prompts[generation.prompt]
        new = generation.ids[len(prompt.ids) :]
        assert tuple(generation.ids[: len(prompt.ids)]) == prompt.ids
        assert generation.min_new_tokens <= len(new) <= generation.max_new_tokens
        assert new[0] == pack.activation(generation.prompt, "logits.last").argmax()
        ended = new[-1] in generation.eos_ids
        assert ended or len(new) == generation.max_new_tokens
        assert not any(i in generation.eos_ids for i in new[generation.min_new_tokens : -1])


def test_generations_of_all_kinds(witness: Pack) -> None:
    kinds = {
        (bool(g.eos_ids), g.min_new_tokens > 0, len(g.ids) - len(witness.prompts[g.prompt].ids))
        for g in witness.generations
    }
    lengths = {(eos, least): new for eos, least, new in kinds}
    assert (False, False, 1) in kinds
    assert lengths[True, False] < max(new for eos, _, new in kinds if not eos)
    assert lengths[True, True] > lengths[True, False]
    varied = max(witness.generations, key=lambda g: len(g.ids))
    assert len(set(varied.ids[len(witness.prompts[varied.prompt].ids) :])) > 6


def test_paris() -> None:
    pack = Pack(PACKS / "smollm2-135m")
    probs = pack.activation("capital", "probs.last")
    assert pack.vocabulary.id_to_bytes[int(probs.argmax())] == b" Paris"
    assert round(probs.max().item(), 2) == 0.77
    text = b"".join(pack.vocabulary.id_to_bytes[i] for i in pack.generations[0].ids)
    assert text.startswith(b"The capital of France is Paris.")


# -- witnesses show what they were made for ---------------------------------------


def test_witnesses_hide_nothing(witness: Pack) -> None:
    gains = [
        witness.weight(name)
        for name in json.loads((witness.folder / MANIFEST).read_text())["weights"]
        if name.endswith("norm.weight")
    ]
    for gain in gains:
        scaled = gain / gain.abs().max()
        assert scaled.min() < -0.4 and scaled.max() > 0.8
    assert len({tuple(gain.tolist()) for gain in gains}) == len(gains)
    for layer in range(witness.config.num_hidden_layers):
        block = f"blocks.{layer}."
        gates, best = [], []
        for prompt in witness.prompts:
            gates.append(witness.activation(prompt, block + "mlp.gate").flatten())
            pattern = witness.activation(prompt, block + "attn.pattern")[:, 2:]
            best.append(pattern.amax(-1).flatten())
        gate = torch.cat(gates)
        assert gate.min() < -4.5 and gate.max() > 4.5
        assert 0.5 < torch.cat(best).mean() < 0.9  # peaky, and not one-hot


def test_eps_weighs_somewhere() -> None:
    for name, share in (("witness-gqa", 0.1), ("witness-mqa", 0.8)):
        pack = Pack(PACKS / name)
        x = pack.activation(next(iter(pack.prompts)), "embed")
        assert pack.config.rms_norm_eps > share * x.square().mean().item()


def test_logits_beyond_what_exp_can_take() -> None:
    pack = Pack(PACKS / "witness-mha")
    last = torch.stack([pack.activation(prompt, "logits.last") for prompt in pack.prompts])
    assert last.exp().isinf().any()
    assert (last.exp().sum(-1) < 1e-38).any()


# -- again ------------------------------------------------------------------------


def rebuilt_is_the_same(name: str, folder: Path) -> None:
    """The same files to the last bit; on another machine, the same numbers within tolerance.

    The last bit depends on the versions of the libraries, and on the kind of processor.
    """
    shipped, again = Pack(PACKS / name), Pack(folder / name)
    before, after = (json.loads((p.folder / MANIFEST).read_text()) for p in (shipped, again))
    captured = before["captured"]
    exact = captured.get("platform", "") in (
        "",
        f"{platform.system()} {platform.machine()}",
    ) and all(
        version(library) == known
        for library, known in captured.get("versions", {}).items()
        if library != "python"
    )
    for file, about in before["files"].items():
        if exact or file != ACTIVATIONS:
            assert after["files"][file] == about, file
    for prompt in shipped.prompts:
        for activation in shipped.activation_names(prompt):
            off = shipped.activation(prompt, activation) - again.activation(prompt, activation)
            most = shipped.activation_entry(prompt, activation).end_to_end
            assert off.nan_to_num(0.0).abs().max().item() <= most
    if exact:
        del before["captured"], after["captured"]
        assert before == after


@pytest.mark.slow
def test_small_packs_can_be_rebuilt(tmp_path: Path) -> None:
    small = [name for name in RECIPES if name != "smollm2-135m"]
    rebuild(small, tmp_path)
    for name in small:
        rebuilt_is_the_same(name, tmp_path)


@pytest.mark.slow
@pytest.mark.exam
def test_the_slice_of_smollm2_can_be_rebuilt(whole_smollm2: Path, tmp_path: Path) -> None:
    rebuild(["smollm2-135m"], tmp_path)
    rebuilt_is_the_same("smollm2-135m", tmp_path)
