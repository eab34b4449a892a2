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
from transformers import LlamaForCausalLM

from token_journey.commands.main import main
from token_journey.course.course import find_course
from token_journey.errors import JourneyError
from token_journey.journey.build.worked import remark
from token_journey.journey.opening import opened, published
from token_journey.journey.shortening import FIRST, LAST
from token_journey.journey.sources.settings import Settings
from token_journey.journey.spelling import shown
from token_journey.journey.stations import STATIONS
from token_journey.journey.terminal.show import show
from token_journey.numbers import number
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
        assert station.title.format(L=24) in told
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


def test_a_mistake_is_not_worked_out(walks, tmp_path):
    written = (COURSE.reference / "s03_rms_norm.py").read_text(encoding="utf-8")
    (tmp_path / "s03_rms_norm.py").write_text(
        written + "\n\n_right = rms_norm\n\n\n"
        "def rms_norm(x, weight, eps):\n    return 2 * _right(x, weight, eps)\n",
        encoding="utf-8",
    )
    assert walks.walk(TEXT, folder=tmp_path).step("norm1").worked == ""


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


# -- somebody's own stages --------------------------------------------------------------------


def test_the_solutions_carry_the_sentence(walks):
    journey = walks.walk(TEXT, folder=COURSE.reference)
    assert journey.verdict == "All stages are yours. Every number is the model's, up to rounding."
    assert journey.step("generate").said == "The same tokens as the model, every one."
    assert {step.by for step in journey.steps if step.stage} == {"yours"}
    differences = [
        known.difference
        for step in journey.steps
        for seen in step.seen
        if (known := seen.known) and known.by == "yours"
    ]
    assert len(differences) > 15 and any(differences)


def test_the_reference_takes_what_is_to_do(walks, tmp_path):
    journey = walks.walk(TEXT, folder=COURSE.exercises)
    assert journey.verdict.startswith("No stage is yours yet")
    written = (COURSE.reference / "s03_rms_norm.py").read_text(encoding="utf-8")
    (tmp_path / "s03_rms_norm.py").write_text(written, encoding="utf-8")
    journey = walks.walk(TEXT, folder=tmp_path)
    assert journey.verdict.startswith("1 of 10 stages are yours")
    assert journey.step("norm1").by == "yours" and journey.step("scores").by == "reference"


def test_the_first_number_that_leaves_the_model_is_named(walks, tmp_path):
    written = (COURSE.reference / "s05_attention.py").read_text(encoding="utf-8")
    mistaken = written.replace("/ math.sqrt(q.shape[-1])", "/ q.shape[-1]")
    (tmp_path / "s05_attention.py").write_text(mistaken, encoding="utf-8")
    journey = walks.walk(TEXT, folder=tmp_path)
    assert "blocks.0.attn.pattern is the first to leave the model, by " in journey.verdict
    assert "✗ yours" in said(journey, "scores")
    assert "✓ the reference's" in said(journey, "norm1")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("return x[0]", "Its shape is (48,) where the model has"),
        ("raise IndexError('off by one')", "stopped the walk: IndexError: off by one"),
        ("return None", "s03_rms_norm.py"),
    ],
)
def test_a_stage_that_breaks_leaves_the_rest_to_the_model(walks, tmp_path, wrong, told):
    stage = f"def rms_norm(x, weight, eps):\n    {wrong}\n"
    (tmp_path / "s03_rms_norm.py").write_text(stage, encoding="utf-8")
    journey = walks.walk(TEXT, folder=tmp_path)
    assert any(told in step.said for step in journey.steps), [s.said for s in journey.steps]
    assert not journey.verdict.endswith("up to rounding.")
    said(journey)


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
