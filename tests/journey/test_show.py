"""`token-journey show`: the walk itself, in the terminal and in a notebook."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
import torch
from checkpoints import make
from nbclient import NotebookClient
from rich.console import Console
from transformers import LlamaConfig, LlamaForCausalLM

from token_journey.commands.main import main
from token_journey.course.course import find_course
from token_journey.drawing.page import part
from token_journey.errors import JourneyError
from token_journey.journey.build.parameters import module_tree
from token_journey.journey.build.worked import remark
from token_journey.journey.excerpt import lines
from token_journey.journey.opening import opened, published
from token_journey.journey.shortening import FIRST, LAST
from token_journey.journey.sources.settings import Settings
from token_journey.journey.spelling import shared, shown, tokens_of
from token_journey.journey.stations import STATIONS
from token_journey.journey.terminal.colours import COLOURS
from token_journey.journey.terminal.show import show
from token_journey.journey.terminal.summary import summary
from token_journey.llama.config import ModelConfig
from token_journey.numbers import number, percent
from token_journey.packs.manifest import seal
from token_journey.packs.pack import Pack

PACKS = find_course().packs

COURSE = find_course()
TEXT = "els camins de la mar"


def said(journey, *keys, width=120):
    console = Console(file=io.StringIO(), width=width)
    show(journey, console, keys)
    return " ".join(console.file.getvalue().split())


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def walks(small):
    with opened(str(small), COURSE) as walks:
        yield walks


@pytest.fixture(scope="module")
def journey(walks):
    return walks.walk(TEXT, layer=1)


# -- the published walk -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def aitana():
    return published(COURSE).walk()


def test_the_published_walk_has_every_station(aitana):
    told = said(aitana)
    for station in STATIONS:
        assert station.title.format(L=24, answer="it") in told
    assert "not published" in told


def test_what_the_real_model_was_seen_to_say(aitana):
    """The one printed continuation stands where it says of what, and how it was drawn."""
    (sampled,) = aitana.continuations
    assert sampled.of.startswith("El nom correcte") and sampled.of != aitana.text
    told = said(aitana, "generate", width=400).partition("One token more")[2]
    assert told and "not published" not in told
    assert "another text, sampled once: top-k = 10, in bfloat16 on cuda:0 (T4)" in told
    assert "autonoma de valencia es...⏎⏎La senyora vicepresidenta primera" in told


def test_what_was_published_is_shown_and_nothing_else(aitana):
    pack = Pack(PACKS / "aitana-2b-s-published")
    for step in aitana.steps:
        for seen in step.seen:
            known = pack.has_activation("aco", seen.name) or pack.has_weight(seen.name)
            if seen.name == "tokens":
                assert seen.value.tolist() == [1, 125647, 594, 785, 889]
            elif known:
                read = pack.weight if pack.has_weight(seen.name) else None
                value = read(seen.name) if read else pack.activation("aco", seen.name)
                assert torch.equal(seen.value, value), seen.name
            else:
                assert seen.value is None, seen.name
    assert list(aitana.patterns) == [0]
    assert not aitana.best and aitana.logits is None and not aitana.lens


def test_the_stories_are_told_by_the_numbers(aitana):
    """What each answer claims is so in the printed figures."""
    residual, final = aitana.step("resid_mid").story, aitana.step("final_norm").story
    stream, copy, attention, printed = (
        torch.tensor([float(cell) for cell in row[1:]]) for row in residual.rows
    )
    torch.testing.assert_close(copy + attention, printed, atol=2e-4, rtol=0)
    assert (stream + attention - printed).abs().max() > 0.1
    numbers = torch.tensor([[float(cell) for cell in row[1:]] for row in final.rows])
    ratios, in_layer_0 = numbers[:, :-1], numbers[:, -1]
    assert in_layer_0.max() > 1.5 * in_layer_0.min()
    assert ((ratios.amax(0) / ratios.amin(0)) < 1.04).all() and "by up to 3.6 %" in final.answer
    assert (ratios - 1).abs().max() < 0.1
    # One factor a column, but for one a row: what a gain and a length do.
    assert torch.linalg.svdvals(ratios)[1] < 0.005 * torch.linalg.svdvals(ratios)[0]
    told = said(aitana, "resid_mid", "final_norm")
    assert "Spot the bug: to what was it added?" in told
    assert "by up to 0.75" in told and "with 6.0 %, is not the model's" in told


def test_words_show_where_spelling_splits(aitana):
    told = said(aitana, "tokens")
    assert "col·legi ␣col · legi 1896 255740 39451" in told
    assert "caparaçò ␣cap ara çò 2153 925 14720" in told
    assert "l'horta ␣l ' horta 414 255723 163861" in told


# -- a model's walk ---------------------------------------------------------------------------


def test_the_walk_is_the_model_s(journey, small):
    """Held against what the plain model returns."""
    model = LlamaForCausalLM.from_pretrained(
        small, dtype=torch.float32, attn_implementation="eager"
    )
    ids = torch.tensor([[token.id for token in journey.tokens]])
    with torch.no_grad():
        out = model(ids, output_hidden_states=True, output_attentions=True)
        layers = [*out.hidden_states[:-1]]
        lens = [model.lm_head(model.model.norm(x))[0].softmax(-1) for x in layers]
    assert torch.equal(journey.logits, out.logits[0, -1])
    assert torch.equal(journey.step("resid_mid").seen[0].value, out.hidden_states[1][0])
    for layer, pattern in enumerate(out.attentions):
        assert torch.equal(journey.patterns[layer], pattern[0])
    for row, stream in enumerate(layers):
        torch.testing.assert_close(journey.growth.length[row], stream[0].norm(dim=-1))
    best = int(out.logits[0, -1].argmax())
    assert journey.best[0].id == best
    for told, probabilities in zip(journey.lens, lens, strict=False):
        assert told.chosen == pytest.approx(float(probabilities[-1, best]), rel=1e-4, abs=1e-12)
        assert [row[0].id for row in told.best] == probabilities.argmax(-1).tolist()
    assert journey.lens[-1].chosen == pytest.approx(journey.best[0].probability, rel=1e-4)


def test_it_goes_on_as_generate_does(journey, small):
    """Greedy, after the sentence and after each of the likeliest next tokens."""
    model = LlamaForCausalLM.from_pretrained(small, dtype=torch.float32)
    spell = Pack(PACKS / "witness-gqa").vocabulary.id_to_bytes
    assert len(journey.branches) == 8
    for first, pieces in journey.branches.items():
        ids = torch.tensor([[*(token.id for token in journey.tokens), first]])
        written = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=12,
            do_sample=False,
            pad_token_id=0,
        )
        assert pieces == tuple(shown(spell[int(i)]) for i in written[0, ids.shape[1] :])
    greedy, best = journey.continuations[0], journey.best[0]
    assert (greedy.how, greedy.pieces) == ("greedy", (best.piece, *journey.branches[best.id]))


def test_numbers_in_the_terminal_are_the_tensors(journey):
    told = said(journey, "scores", "norm1", "rope")
    pattern = journey.patterns[1]
    for value in pattern[0, -1].tolist():
        assert number(value) in told
    scale = journey.seen("resid_pre").square().mean(-1).add(1e-5).sqrt()
    assert all(number(value) in told for value in scale.tolist())


def test_every_station_has_its_numbers(journey):
    for step in journey.steps:
        assert all(seen.value is not None for seen in step.seen), step.key
    assert sum(share for _, share in journey.costs) == pytest.approx(1)
    assert "not computed" not in said(journey)


def test_what_is_worked_out_comes_out(journey):
    """Every sentence that works a number out closes, from the digits that it prints."""
    worked = {step.key: step.worked for step in journey.steps if step.worked}
    assert list(worked) == [
        "norm1", "scores", "weighted", "resid_mid", "norm2", "mlp", "resid_post", "final_norm"
    ]  # fmt: skip
    for key in ("norm1", "weighted", "resid_mid", "norm2", "resid_post", "final_norm"):
        made, given = re.search(r" is (.*) ≈ (\S+)\.$", worked[key]).groups()
        made = made.replace(" · ", " * ").replace(" from the other tokens", "")
        assert eval(made) == pytest.approx(float(given), abs=3e-4, rel=2e-3), key


def test_a_mistake_changes_no_number_of_the_model_s(walks, tmp_path):
    """Pictures and sentences are of one walk: what stages made stands beside it."""
    mistaken(tmp_path, "s03_rms_norm", "    return 2 * ", "    return ")
    plain, walked = walks.walk(TEXT), walks.walk(TEXT, folder=tmp_path)
    for theirs, step in zip(plain.steps, walked.steps, strict=True):
        assert (step.worked, step.remark) == (theirs.worked, theirs.remark)
        for one, other in zip(theirs.seen, step.seen, strict=True):
            assert torch.equal(one.value, other.value), one.name
    assert torch.equal(plain.logits, walked.logits) and plain.best == walked.best


def test_a_jump_and_a_sink_are_told_where_they_are(journey):
    growth = journey.growth
    length = growth.length.clone()
    length[2, 0] = 100 * length.max()
    grown = replace(journey, growth=replace(growth, length=length))
    assert "after layer 1. This is common" in remark(journey.step("layers"), grown)
    assert remark(journey.step("layers"), replace(journey, growth=None)) == ""
    assert remark(journey.step("norm1"), grown) == ""


def test_stories_of_layer_0_are_told_there_alone():
    assert published(COURSE).walk(layer=3).step("resid_mid").story is None


def test_answers_stand_at_the_end(aitana):
    told = said(aitana, "resid_mid", "final_norm")
    assert told.index("what did the last norm find?") < told.index("Of rows 2 and 3")


@pytest.mark.parametrize("width", [40, 80, 200])
def test_any_width_will_do(journey, width):
    console = Console(file=io.StringIO(), width=width)
    show(journey, console)
    assert max(map(len, console.file.getvalue().splitlines())) <= width


def test_markup_in_a_sentence_is_text(walks):
    told = said(walks.walk("[bold]la[/bold] [/red] mar"), "tokens")
    assert "[bold]" in told.replace(" ", "").replace("␣", "")


def test_a_long_text_is_cut_and_says_so(walks):
    journey = walks.walk("mar " * 100)
    assert len(journey.tokens) == FIRST + LAST
    assert f"Shown are the first {FIRST} and the last {LAST}" in journey.left_out
    assert journey.patterns[0].shape == (6, FIRST + LAST, FIRST + LAST)
    assert journey.growth.length.shape == (4, FIRST + LAST)
    assert journey.tokens[-1].place > 99


def test_seeds_and_settings_decide_what_is_drawn(small):
    def drawn(**settings):
        with opened(str(small), COURSE, Settings(**settings)) as walks:
            return [c.pieces for c in walks.walk(TEXT).continuations]

    assert drawn(seed=3) == drawn(seed=3)
    assert drawn(seed=3)[1:] != drawn(seed=4)[1:]
    greedy, *sampled = drawn(top_k=1)
    assert all(greedy[: len(pieces)] == pieces for pieces in sampled)


# -- who said it ------------------------------------------------------------------------------


def test_the_parts_sum_to_the_model_s_logits(journey, small):
    """Against what the plain model returns; every head and MLP has its part."""
    model = LlamaForCausalLM.from_pretrained(small, dtype=torch.float32)
    ids = torch.tensor([[token.id for token in journey.tokens]])
    with torch.no_grad():
        logits = model(ids).logits[0, -1].double()
    found, config = journey.attribution, model.config
    two = logits.topk(2).indices.tolist()
    assert [found.answer.id, found.runner_up.id] == two
    sums = [sum(getattr(part, side) for part in found.parts) for side in ("answer", "runner_up")]
    assert sums == pytest.approx(logits[two].tolist(), abs=1e-4)
    layers, heads = config.num_hidden_layers, config.num_attention_heads
    assert len(found.parts) == 1 + layers * (heads + 1)
    assert max(abs(part.lead) for part in found.parts) > 1e-3


def test_a_part_is_what_leaving_it_out_takes_away(journey, small):
    """With the last norm's scale as it was: transformers' own modules, without one head."""
    model = LlamaForCausalLM.from_pretrained(small, dtype=torch.float32)
    ids = torch.tensor([[token.id for token in journey.tokens]])
    layer, head = model.config.num_hidden_layers - 1, 1
    seen = {}
    attention, mlp = model.model.layers[layer].self_attn.o_proj, model.model.layers[layer].mlp
    d = model.config.head_dim
    attention.register_forward_pre_hook(lambda _, args: seen.update(z=args[0][0, -1].clone()))
    last = model.model.norm
    last.register_forward_pre_hook(lambda _, args: seen.update(x=args[0][0, -1].clone()))
    mlp.register_forward_hook(lambda _, args, out: seen.update(mlp=out[0, -1].clone()))
    with torch.no_grad():
        model(ids)
        alone = torch.zeros_like(seen["z"])
        alone[head * d : (head + 1) * d] = seen["z"][head * d : (head + 1) * d]
        rms = (seen["x"].square().mean() + model.config.rms_norm_eps).sqrt()
        read = model.lm_head.weight * model.model.norm.weight / rms
        expected = [read @ (attention.weight @ alone), read @ seen["mlp"]]
    found = journey.attribution
    for part_of, logits in zip((head, None), expected, strict=True):
        (part,) = (p for p in found.parts if (p.layer, p.head) == (layer, part_of))
        both = [float(logits[found.answer.id]), float(logits[found.runner_up.id])]
        assert [part.answer, part.runner_up] == pytest.approx(both, abs=1e-5)
        assert [value for _, value in part.says] == pytest.approx(
            logits.topk(3).values.tolist(), abs=1e-5
        )


def test_the_river_is_as_wide_as_what_is_added(journey, small):
    model = LlamaForCausalLM.from_pretrained(small, dtype=torch.float32)
    ids = torch.tensor([[token.id for token in journey.tokens]])
    layer, seen = model.model.layers[1], {}
    layer.register_forward_pre_hook(lambda _, args: seen.update(x=args[0][0]))
    layer.self_attn.register_forward_hook(lambda _, args, out: seen.update(a=out[0][0]))
    layer.mlp.register_forward_hook(lambda _, args, out: seen.update(m=out[0]))
    with torch.no_grad():
        model(ids)
    x, a, m = seen["x"], seen["a"], seen["m"]
    for step, (before, added) in enumerate([(x, a), (x + a, m)], start=2):
        lengths = added.norm(dim=-1), before.norm(dim=-1)
        torch.testing.assert_close(journey.flow.added[step], lengths[0] / (lengths[0] + lengths[1]))


# -- in twelve lines ---------------------------------------------------------------------------


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_journey_in_twelve_lines(journey, width):
    console = Console(file=io.StringIO(), width=width)
    summary(journey, console)
    lines = console.file.getvalue().splitlines()
    assert 8 <= len(lines) <= 13 and max(map(len, lines)) <= width
    if width == 200:
        told = "\n".join(lines)
        assert percent(journey.best[0].probability) in told and "--all" in lines[-1]
        assert journey.attribution.strongest(1)[0].layer >= -1 and "who said it" in told


def test_show_prints_twelve_lines_and_all_of_it_with_all(capsys):
    assert main(["show"]) == 0
    short = capsys.readouterr().out
    assert len(short.splitlines()) <= 13 and "--all" in short
    assert main(["show", "--all"]) == 0
    assert len(capsys.readouterr().out.splitlines()) > 300


def test_colours_are_those_of_the_page():
    theme = part("token_journey.drawing", "theme.css")
    assert tuple(re.findall(r"--t\d: (#\w+);", theme)) == COLOURS


# -- all that was published ---------------------------------------------------------------------


def test_nothing_that_was_printed_is_hidden(aitana):
    """All heads of q, k, v and z, the entries of the vocabulary, the tree of modules."""
    told = said(aitana, width=200)
    pack = Pack(PACKS / "aitana-2b-s-published")
    for name in ("q", "k", "v", "rot_q", "rot_k", "z"):
        value = pack.activation("aco", f"blocks.0.attn.{name}")
        (seen,) = (
            seen
            for key in ("heads", "rope", "weighted")
            for seen in aitana.step(key).seen
            if seen.name.endswith(f"attn.{name}")
        )
        rows = [line for line in lines(seen, aitana) if line.token]
        assert len(rows) == 16 * 5 and len({row.label for row in rows}) == 16
        assert all(number(x) in told for x in value[:, :, 0].flatten().tolist()), name
    facts = pack.manifest["vocabulary_facts"]
    assert len(aitana.facts) == 106
    for text, token in facts["special_tokens"].items():
        assert f"{token} {text}" in told
    assert "255999 ，" in told and "255900 Ν" in told
    assert "(0-23): 24 x LlamaDecoderLayer(" in told and "max_length" in told


@pytest.mark.parametrize("shared_heads", [1, 4])
def test_the_tree_is_as_transformers_prints_it(shared_heads):
    config = LlamaConfig(
        vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=shared_heads, rms_norm_eps=1e-5,
    )  # fmt: skip
    ours = ModelConfig(64, 32, 3, 4, shared_heads, 8, 48, 1e-5, 10000.0, True)
    with torch.device("meta"):
        assert module_tree(ours) == str(LlamaForCausalLM(config))


# -- any script ---------------------------------------------------------------------------------


def test_a_character_in_pieces_is_told_whole():
    spelled = {1: b"a", 2: b" \xf0\x9f", 3: b"\x99\x82", 4: b"\xff", 5: b"b"}
    tokens = tokens_of([1, 2, 3, 4, 5], spelled, 0)
    assert [token.part_of for token in tokens] == ["", " 🙂", " 🙂", "", ""]
    assert [[i for i, _ in group] for group in shared(tokens)] == [[0], [1, 2], [3], [4]]


def test_one_token_is_a_walk(walks):
    journey = walks.walk("a")
    assert len(journey.tokens) <= 2 and journey.gap is None
    said(journey)


def test_where_tokens_are_left_out_is_known(walks):
    journey = walks.walk("mar " * 100)
    index, count = journey.gap
    before, after = (journey.tokens[i].place for i in (index - 1, index))
    assert (index, count) == (FIRST, after - before - 1) and count > 80


# -- somebody's own stages --------------------------------------------------------------------


def test_the_solutions_carry_the_sentence(walks):
    journey = walks.walk(TEXT, folder=COURSE.reference)
    assert journey.verdict == "All stages are yours. Every number is the model's, up to rounding."
    assert journey.step("generate").said == "The same tokens as the model, every one."
    states = [state for step in journey.steps for state in step.states]
    assert {(state.kind, state.by) for state in states} == {("same", "yours"), ("unknown", "yours")}
    taken = [made for step in journey.steps for seen in step.seen for made in seen.taken if made]
    assert len(taken) > 15 and any(made.difference for made in taken)
    assert len(journey.runs) == 1


def test_the_reference_takes_what_is_to_do(walks, tmp_path):
    journey = walks.walk(TEXT, folder=COURSE.exercises)
    assert journey.verdict.startswith("No stage is yours yet")
    written = (COURSE.reference / "s03_rms_norm.py").read_text(encoding="utf-8")
    (tmp_path / "s03_rms_norm.py").write_text(written, encoding="utf-8")
    journey = walks.walk(TEXT, folder=tmp_path)
    assert journey.verdict.startswith("1 of 10 stages are yours")
    assert journey.step("norm1").states[0].by == "yours"
    assert journey.step("scores").states[0].by == "reference"


def mistaken(folder, stage, right, wrong):
    """A stage as the reference has it, but for one mistake."""
    text = (COURSE.reference / f"{stage}.py").read_text(encoding="utf-8")
    assert wrong in text
    (folder / f"{stage}.py").write_text(text.replace(wrong, right), encoding="utf-8")


UNSCALED = ("s05_attention", "q / q.shape[-1]", "q / math.sqrt(q.shape[-1])")


def test_the_first_number_that_leaves_the_model_is_named(walks, tmp_path):
    mistaken(tmp_path, *UNSCALED)
    journey = walks.walk(TEXT, folder=tmp_path)
    assert "blocks.0.attn.pattern is the first to leave the model, by " in journey.verdict
    assert "✗ yours: not the model's, by " in said(journey, "scores")
    assert "✗ yours is up to" in said(journey, "scores")
    assert "✓ the reference's is the model's" in said(journey, "norm1")


def test_every_number_says_whose_it_is(walks, tmp_path):
    """Stage 5 is wrong and 6 to do: the model's SiLU is of its own gate."""
    mistaken(tmp_path, *UNSCALED)
    journey = walks.walk(TEXT, folder=tmp_path)
    gate, opened = journey.seen("mlp.gate"), journey.seen("mlp.gate_act")
    torch.testing.assert_close(torch.nn.functional.silu(gate), opened)
    (made,) = (s.taken[0] for s in journey.step("mlp").seen if s.name.endswith("gate_act"))
    assert made.by == "reference" and not made.holds and not torch.equal(made.value, opened)
    first = [s.key for s in journey.steps if s.states and s.states[0].first]
    assert first == ["scores"]


def test_the_reference_in_a_wrong_one_s_place_mends_the_rest(walks, tmp_path):
    for stage in COURSE.stages():
        text = (COURSE.reference / f"{stage.name}.py").read_text(encoding="utf-8")
        (tmp_path / f"{stage.name}.py").write_text(text, encoding="utf-8")
    mistaken(tmp_path, *UNSCALED)
    mistaken(tmp_path, "s06_swiglu", "x * torch.sigmoid(2 * x)", "x * torch.sigmoid(x)")
    journey = walks.walk(TEXT, folder=tmp_path)
    assert [run.replaced for run in journey.runs] == [(), (5,), (5, 6)]
    firsts = [
        [step.key for step in journey.steps if step.states and step.states[run].first]
        for run in range(3)
    ]
    assert firsts == [["scores"], ["mlp"], []]
    (rows,) = (s.taken for s in journey.step("scores").seen if s.name.endswith("pattern"))
    assert [taken.holds for taken in rows] == [False, True, True]
    kinds = {step.states[2].kind for step in journey.steps if step.states}
    assert kinds == {"same", "unknown"}


BROKEN = {
    "tokens": ("s01_tokenize", "return [*ids, 0]", "return ids"),
    "embed": ("s02_embed", "return 2 * table[token_ids]", "return table[token_ids]"),
    "norm1": ("s03_rms_norm", "(2 * weight * normalised)", "(weight * normalised)"),
    "rope": ("s04_rope", "return angles.sin(), angles.cos()", "return angles.cos(), angles.sin()"),
    "scores": UNSCALED,
    "mlp": ("s06_swiglu", "x * torch.sigmoid(2 * x)", "x * torch.sigmoid(x)"),
    "layers": ("s07_decoder", "return swiglu(", "return x + swiglu("),
    "lm_head": ("s08_lm_head", "return 2 * rms_norm(", "return rms_norm("),
    "probs": ("s09_softmax", "return 2 * weights / weights", "return weights / weights"),
    "generate": ("s10_generate", "return ids.flip(-1)", "return ids"),
}  # fmt: skip


@pytest.mark.parametrize("station", BROKEN)
def test_each_of_ten_broken_stages_is_found_where_it_is(walks, tmp_path, station):
    """It is the first to leave; what comes before is the model's; the reference mends it."""
    mistaken(tmp_path, *BROKEN[station])
    journey = walks.walk(TEXT, folder=tmp_path)
    stated = [step for step in journey.steps if step.states]
    assert [step.key for step in stated if step.states[0].first] == [station]
    if station not in ("norm1", "rope", "scores", "mlp"):  # these come again in the next layer
        before = [step.states[0].kind for step in stated][: [s.key for s in stated].index(station)]
        assert set(before) <= {"same", "unknown"}
    assert {step.states[-1].kind for step in stated} == {"same", "unknown"}
    assert len(journey.runs) == 2 and journey.runs[1].verdict.endswith("up to rounding.")
    assert journey.runs[1].verdict.startswith("With the reference's stage ")
    said(journey)


def test_what_was_not_reached_says_so(walks, tmp_path):
    raises = "raise IndexError('off by one')"
    mistaken(tmp_path, "s06_swiglu", raises, "return x * torch.sigmoid(x)")
    journey = walks.walk(TEXT, folder=tmp_path)
    assert "IndexError: off by one. This walk ends there." in journey.verdict
    kinds = {step.key: step.states[0].kind for step in journey.steps if step.states}
    assert kinds["norm2"] == "same" and kinds["mlp"] == "stopped"
    assert {kinds[key] for key in ("down", "resid_post", "lm_head", "generate")} == {"unreached"}
    assert [step.key for step in journey.steps if step.states and step.states[0].first] == ["mlp"]


def test_a_captured_pack_is_walked_by_stages_too():
    with opened("witness-gqa", COURSE) as walks:
        journey = walks.walk(folder=COURSE.reference)
    assert journey.verdict.endswith("Every number is the model's, up to rounding.")
    said(journey)


# -- what can go wrong ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([""], "There is no text to walk"),
        (["  \n "], "There is no text to walk"),
        (["--model", "smollm2"], "There is no text to walk"),
        (["a" * 100_000], "longer than"),
        (["hola", "--model", "no-such-model"], "neither a folder here nor a repository's name"),
        (["--layer", "24"], "There is no layer 24: Aitana-2B-S (published figures) has 0 to 23."),
        (["--step", "sofmax"], "There is no step 'sofmax'; there are: tokens, model, embed"),
        (["hola", "--model", "witness-gqa"], "witness-gqa holds what was captured once, on"),
        (["--model", "aitana-2b-s-published", "--impl", "solutions"], "not hold all weights"),
        (["hola", "--temperature", "0"], "--temperature lies between 0.001 and 1000."),
        (["hola", "--top-p", "1.5"], "--top-p lies above 0 and is at most 1."),
        (["--model", "witness-gqa", "--impl", "{folder}"], "There are no stages in"),
        (["--html", "{folder}"], "is a folder: name a file in it"),
        (["--html", "{folder}/there.html"], "is there already: add --force to replace it."),
        (["--html", "{folder}/none/walk.html"], "There is no folder"),
    ],
)
def test_bad_input_gets_one_sentence(arguments, told, tmp_path, capsys):
    there = tmp_path / "there.html"
    there.write_text("mine")
    given = [argument.replace("{folder}", str(tmp_path)) for argument in arguments]
    assert main(["show", *given]) == 1
    captured = capsys.readouterr()
    assert told in captured.err and captured.err.count("\n") == 1
    assert captured.out == ""
    assert there.read_text() == "mine" and list(tmp_path.iterdir()) == [there]


def test_smollm2_that_was_not_fetched_says_how(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("TOKEN_JOURNEY_CACHE", str(tmp_path))
    assert main(["show", "hola"]) == 1
    assert "run `token-journey fetch`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("piped", "told"),
    [
        (b"\xff\xfe", "is not UTF-8 text (byte 0)"),
        (b"", "There is no text to walk"),
        ("ç".encode() * 60_000, "longer than"),
    ],
)
def test_what_comes_through_a_pipe(piped, told):
    run = subprocess.run(
        [sys.executable, "-m", "token_journey", "show", "-"], input=piped, capture_output=True
    )
    assert run.returncode == 1 and told in run.stderr.decode()


def test_too_many_tokens(walks):
    with pytest.raises(JourneyError, match="a walk takes at most 1,024"):
        walks.walk("la mar i " * 1000)


def test_a_pack_that_is_held_back_is_not_shown(tmp_path, capsys):
    import json
    import shutil

    pack = shutil.copytree(PACKS / "witness-gqa", tmp_path / "exam")
    manifest = json.loads((pack / "pack.json").read_text())
    (pack / "pack.json").write_text(json.dumps({**manifest, "held_back": True}))
    seal(pack)
    assert main(["show", "--model", str(pack)]) == 1
    assert "is held back: what it expects is not shown." in capsys.readouterr().err


# -- the page and the notebook ----------------------------------------------------------------


def test_a_page_is_replaced_when_forced(tmp_path, capsys):
    file = tmp_path / "walk.html"
    file.write_text("mine")
    assert main(["show", "--html", str(file), "--force"]) == 0
    assert file.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.slow
def test_the_notebook_runs(whole_smollm2, tmp_path):
    file = Path(COURSE.home, "docs", "walk.ipynb")
    notebook = nbformat.read(file, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": file.parent}}).execute()
    outputs = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    assert all(outputs)
    for output in outputs[:2]:
        assert output[-1].data["text/html"].startswith("<iframe")
    assert "No stage is yours yet" in outputs[-1][0].data["text/plain"]
