"""What a step costs: the formulas against torch's own counter, and the clock inside a call."""

import json
import math
import os
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from consoles import FEW_SIGNS, said_on
from torch.utils.flop_counter import FlopCounterMode
from transformers import LlamaConfig, LlamaForCausalLM

from token_journey.commands.main import main
from token_journey.cost.budget import Budget
from token_journey.cost.fixture import Bench, rounds_that_fit
from token_journey.cost.forward import measured_crossing
from token_journey.cost.machine import Machine, best
from token_journey.cost.profile import Profile
from token_journey.cost.stepclock import StepClock
from token_journey.cost.workload import AITANA as NAME
from token_journey.cost.workload import SMOLLM2, Size, Work, check_memory, config_of
from token_journey.course.course import find_course
from token_journey.course.implementation import Implementation
from token_journey.errors import TooLarge
from token_journey.llama import formulas
from token_journey.llama.formulas import ATTENTION, MLP, cost

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")
REFERENCE = Implementation(find_course().reference)
AITANA = config_of(NAME)


def llama(config, layers=2):
    """transformers' model of these sizes, eager, without memory."""
    sizes = LlamaConfig(
        vocab_size=config.vocab_size,
        hidden_size=config.hidden_size,
        num_hidden_layers=layers,
        num_attention_heads=config.num_attention_heads,
        num_key_value_heads=config.num_key_value_heads,
        head_dim=config.head_dim,
        intermediate_size=config.intermediate_size,
        tie_word_embeddings=config.tie_word_embeddings,
        attn_implementation="eager",
    )
    with torch.device("meta"):
        return LlamaForCausalLM(sizes)


# -- counted ---------------------------------------------------------------------


@pytest.mark.parametrize("model", [NAME, SMOLLM2])
def test_parameters_are_transformers_own(model):
    config = config_of(model)
    expected = llama(config, config.num_hidden_layers).num_parameters()
    assert formulas.parameters(config) == expected


def test_aitana_is_as_large_as_published():
    assert formulas.parameters(AITANA) == 2_253_490_176
    vocabularies = 2 * cost("embed", AITANA, 1).parameters
    assert round(100 * vocabularies / formulas.parameters(AITANA), 1) == 46.5


@pytest.mark.parametrize("tokens", [1, 5, 64])
@pytest.mark.parametrize("kv_heads", [16, 4, 1])
def test_products_are_those_of_torchs_own_counter(tokens, kv_heads):
    """FlopCounterMode counts products and nothing else; so does this sum."""
    config = Size("Aitana-2B-S", kv_heads, tokens).config
    counter = FlopCounterMode(display=False)
    with counter:
        ids = torch.zeros(1, tokens, dtype=torch.long, device="meta")
        places = torch.arange(tokens)[None].to("meta")
        mask = torch.zeros(1, 1, tokens, tokens, device="meta")
        llama(config)(ids, position_ids=places, attention_mask=mask, use_cache=False)
    products = ("projections", "scores", "weighted sum", "output projection", "gate", "up", "down")
    layer = sum(cost(step, config, tokens).flops for step in products)
    vocabulary = formulas.logits(config, tokens, tokens).flops
    assert counter.get_total_flops() == 2 * layer + vocabulary


def test_a_cached_token_is_those_of_torchs_own_counter():
    """One token, looking at 64: the model as transformers runs it with a cache."""
    from transformers import DynamicCache

    model, past = llama(AITANA), DynamicCache()
    for layer in range(2):
        past.update(*(torch.empty(1, 16, 63, 128, device="meta") for _ in "kv"), layer)
    counter = FlopCounterMode(display=False)
    with counter:
        ids = torch.zeros(1, 1, dtype=torch.long, device="meta")
        mask = torch.zeros(1, 1, 1, 64, device="meta")
        model(ids, position_ids=ids, attention_mask=mask, cache=past)
    products = ("projections", "scores", "weighted sum", "output projection", "gate", "up", "down")
    layer = sum(cost(step, AITANA, 1, 64).flops for step in products)
    assert counter.get_total_flops() == 2 * layer + formulas.logits(AITANA, 1, 1).flops


def test_the_crossing_is_where_products_of_both_are_equal():
    tokens = round(formulas.crossing(AITANA))
    attention = ("projections", "scores", "weighted sum", "output projection")
    both = [
        sum(cost(step, AITANA, tokens).flops for step in steps)
        for steps in (attention, ("gate", "up", "down"))
    ]
    assert tokens == 4064 and both[0] == both[1]


def test_the_cache_is_as_large_as_transformers_own():
    from transformers import DynamicCache

    cache = DynamicCache()
    for layer in range(AITANA.num_hidden_layers):
        cache.update(*(torch.zeros(1, 16, 7, 128) for _ in "kv"), layer)
    held = sum(part.nbytes for layer in cache.layers for part in (layer.keys, layer.values))
    assert formulas.cache_bytes(AITANA, 7) == held


# -- the clock inside a call -------------------------------------------------------


def by_loop(x, weights, cos, sin, n_heads, n_kv_heads):
    """Attention head by head, as a learner may write it."""
    split, turn = REFERENCE.module("s05_attention").split_heads, REFERENCE.module("s04_rope")
    q, k, v = (
        split(torch.nn.functional.linear(x, weights[f"self_attn.{n}_proj.weight"]), heads)
        for n, heads in (("q", n_heads), ("k", n_kv_heads), ("v", n_kv_heads))
    )
    q, k = turn.apply_rope(q, cos, sin), turn.apply_rope(k, cos, sin)
    done = []
    for head in range(n_heads):
        group = head * n_kv_heads // n_heads
        scores = torch.einsum("qd,kd->qk", q[head], k[group]) / math.sqrt(q.shape[-1])
        scores = scores.masked_fill(torch.ones_like(scores).triu(1).bool(), -math.inf)
        e = (scores - scores.max(-1, keepdim=True).values).exp()
        done.append((e / e.sum(-1, keepdim=True)) @ v[group])
    return torch.cat(done, -1) @ weights["self_attn.o_proj.weight"].T


@pytest.mark.parametrize("tokens", [5, 64])  # 64 is also SmolLM2's head dim
@pytest.mark.parametrize("attention", ["reference", "loop"])
def test_the_clock_tells_the_steps_apart(attention, tokens):
    """With a clock that ticks once an operator every product is found where it belongs."""
    work = Work(Size("SmolLM2-135M", 3, tokens), CPU)
    function = REFERENCE.module("s05_attention").grouped_query_attention
    ticks = iter(range(10**6))
    clock = StepClock(work.layer, work.config.head_dim, lambda: next(ticks))
    seen = []
    step = clock._step
    clock._step = lambda func, args, result: (
        seen.append((func, step(func, args, result))) or (seen[-1][1])
    )
    with torch.no_grad(), clock:
        (function if attention == "reference" else by_loop)(
            work.stream(), work.layer, *work.tables, 9, 3
        )
    products = [name for func, name in seen if func.overloadpacket.__name__ in ("mm", "bmm")]
    heads = 1 if attention == "reference" else 9
    assert products == ["projections"] * 3 + ["scores", "weighted sum"] * heads + [
        "output projection"
    ]
    assert set(ATTENTION) <= set(clock.seconds)


def test_the_clock_tells_the_mlp_apart():
    work = Work(Size("SmolLM2-135M", 3, 5), CPU)
    weights = [work.layer[f"mlp.{n}_proj.weight"] for n in ("gate", "up", "down")]
    with torch.no_grad(), StepClock(work.layer, work.config.head_dim) as clock:
        REFERENCE.module("s06_swiglu").swiglu(work.stream(), *weights)
    assert set(MLP) <= set(clock.seconds)


# -- how often ---------------------------------------------------------------------------


def test_a_budget_is_shared_out_by_weight_among_what_is_left():
    clock = SimpleNamespace(seconds=0.0)
    budget = Budget(100.0, [1.0, 3.0, 0.0, 1.0], lambda: clock.seconds)
    assert budget.share(0) == 20.0
    clock.seconds = 20.0
    assert budget.share(1) == 60.0
    clock.seconds = 95.0  # it took longer than it should
    assert budget.share(2) == 0.0 and budget.share(3) == 5.0
    clock.seconds = 200.0
    assert budget.share(3) == 0.0


@pytest.mark.parametrize(
    ("seconds", "a_call", "rounds"),
    [(math.inf, 1.0, 1000), (10.0, 1.0, 9), (1.0, 1.0, 1), (0.0, 1.0, 1), (0.0, 3.0, 0)],
)
def test_as_many_rounds_as_there_is_time_for(seconds, a_call, rounds):
    """None after the first of a long call: that one is the time."""
    assert rounds_that_fit(seconds, a_call) == rounds


# -- what does not depend on the machine -------------------------------------------------


@pytest.mark.exam  # it times: on a busy machine it may say nothing of the code
def test_how_steps_grow(tmp_path):
    """Measured on the reference, at SmolLM2's sizes: by which power of the tokens."""
    profile = benchmarked(
        tmp_path,
        "SmolLM2 and stage and "
        "((512 or 2048) and (scores or gate) or (64-3kv or 512) and test_token)",
    )

    def exponent(step, few, many):
        less, more = (
            profile.get("solutions", step, Size("SmolLM2-135M", 3, tokens)).seconds
            for tokens in (few, many)
        )
        return math.log(more / less) / math.log(many / few)

    assert 1.5 < exponent("scores", 512, 2048) < 2.7  # the square
    assert 0.6 < exponent("gate", 512, 2048) < 1.45  # the MLP: in proportion
    with_cache, without = (exponent(f"token {w} cache", 64, 512) for w in ("with", "without"))
    assert with_cache < without - 0.3


# In a process of several that test, pytest-benchmark would measure nothing; and with one
# thread it matters less what the others do.
ALONE = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_XDIST")} | {
    "OMP_NUM_THREADS": "1"
}


def benchmarked(tmp_path, selected, *folders):
    file = tmp_path / "benchmark.json"
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", *(folders or ("solutions",)), "-q"),
            *("--benchmark-only", f"--benchmark-json={file}", "-k", selected),
            *("--benchmark-min-rounds=10", "--benchmark-max-time=0.1"),
        ],
        cwd=find_course().home,
        env=ALONE,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    profile = Profile.read(file)
    profile.output = run.stdout
    return profile


def test_a_stage_whose_checks_fail_is_not_timed_and_says_so(tmp_path):
    submission = tmp_path / "maria"
    shutil.copytree(find_course().reference, submission)
    stage = submission / "s03_rms_norm.py"
    stage.write_text(stage.read_text(encoding="utf-8").replace(" + eps", ""), encoding="utf-8")
    profile = benchmarked(tmp_path, "SmolLM2 and 5-3kv and test_rms", str(submission), "solutions")
    assert profile.implementations == ["solutions"]
    said = " ".join(profile.output.split())
    assert "s03_rms_norm.py is not timed: " in said and "checks do not hold" in said


def test_grading_collects_no_benchmark():
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "solutions", "-q", "--collect-only"],
        cwd=find_course().home,
        capture_output=True,
        text=True,
    ).stdout
    assert "test_rms_norm[stage" not in listed


# -- the command ----------------------------------------------------------------------------


def entry(step, tokens, seconds, by="solutions", kv_heads=16):
    formula = cost(step, AITANA, tokens)
    machine = {"flops_per_second": 1e11, "bytes_per_second": 1e10, "device": "cpu", "threads": 2}
    return {
        "stats": {"min": seconds, "rounds": 2 if step == "lm_head" else 9},
        "extra_info": {
            "by": by,
            "step": step,
            "model": "Aitana-2B-S",
            "tokens": tokens,
            "kv_heads": kv_heads,
            "parameters": formula.parameters,
            "flops": formula.flops,
            "bytes": formula.bytes,
            "machine": machine,
        },
    }


@pytest.fixture
def benchmark_file(tmp_path):
    """A machine on which every step takes its operations at 100 GFLOP/s, and 1 µs besides."""
    steps = ("norm", *ATTENTION, *MLP, "lm_head", "decoder layer")
    entries = [
        entry(step, tokens, 1e-6 + cost(step, AITANA, tokens).flops / 1e11, by)
        for step in steps
        for tokens in (5, 512, 2048)
        for by in ("solutions", "transformers-eager")
    ]
    entries += [entry("token with cache", 64, 0.4 - 0.01 * kv, kv_heads=kv) for kv in (16, 4, 1)]
    entries.append(entry("token without cache", 64, 2.0))
    file = tmp_path / "benchmark.json"
    file.write_text(json.dumps({"benchmarks": entries}))
    return file


def test_the_command_reads_a_file_and_draws(benchmark_file, tmp_path, capsys):
    html, png = tmp_path / "cost.html", tmp_path / "cost.png"
    assert main(["cost", str(benchmark_file), "--html", str(html), "--png", str(png)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for part in (*ATTENTION, *MLP, "lm_head"):
        assert part in said
    assert "the costliest step is `lm_head`" in said
    assert "After 64 tokens one more takes 240 ms with a key/value cache and 2.00 s" in said
    assert "Each time is the best of 2 to 9 rounds" in said
    assert png.read_bytes().startswith(b"\x89PNG")
    page = html.read_text(encoding="utf-8")
    assert page.count("<svg") == 6
    # No script, and nothing that a browser would fetch: names of XML's are no links.
    assert not re.search(r"<script|<link|<img|\bsrc=|url\(http|@import", page)


def test_the_crossing_is_found_beyond_what_was_measured(benchmark_file):
    """On this machine time is operations; softmax and rope count, too."""
    profile = Profile.read(benchmark_file)
    attention, mlp = (
        lambda t, step=step: cost(step, AITANA, t).flops for step in ("attention", "swiglu")
    )
    exact = next(t for t in range(2048, 8192) if attention(t) > mlp(t))
    assert measured_crossing(profile, "solutions") == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{file}", "--step", "sofmax"], "There is no step 'sofmax'; there are: norm"),
        (["{file}", "--tokens", "7"], "Nothing was measured at 7 tokens"),
        (["{file}", "--by", "maria"], "holds nothing by maria; there is: solutions."),
        (["nowhere"], "nowhere is neither a folder of stages nor a benchmark file."),
        (["{foreign}"], "holds benchmarks of something else"),
        (["{text}"], "is no benchmark file"),
        (["{file}", "--png", "nowhere/cost.png"], "can't be written"),
    ],
)
def test_bad_input_gets_one_sentence(arguments, said, benchmark_file, tmp_path, capsys):
    foreign, text = tmp_path / "foreign.json", tmp_path / "text.json"
    foreign.write_text('{"benchmarks": [{"name": "sort", "extra_info": {}, "stats": {}}]}')
    text.write_text("no JSON")
    filled = [a.format(file=benchmark_file, foreign=foreign, text=text) for a in arguments]
    assert main(["cost", *filled]) == 1
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


ABSURD = [float("nan"), float("inf"), -1, 0, 10**400, "\x1b[31mred", None, [], {}, True]


@pytest.mark.parametrize("value", ABSURD, ids=lambda value: repr(value)[:12])
@pytest.mark.parametrize(
    "field",
    [
        *("by", "step", "model", "tokens", "kv_heads", "parameters", "flops", "bytes", "machine"),
        *("flops_per_second", "bytes_per_second", "device", "threads", "min", "rounds"),
    ],
)
def test_a_benchmark_file_that_somebody_made(field, value, benchmark_file, capsys):
    """Each field of it with each absurd value: read, or refused in one sentence."""
    benchmarks = json.loads(benchmark_file.read_text())["benchmarks"]
    for benchmark in benchmarks:
        about = benchmark["extra_info"]
        for part in (benchmark["stats"], about, about["machine"]):
            if field in part:
                part[field] = value
    benchmark_file.write_text(json.dumps({"benchmarks": benchmarks}))
    code = main(["cost", str(benchmark_file)])
    said = capsys.readouterr()
    assert said.err.count("\n") == code and code in (0, 1)
    assert "\x1b[31m" not in said.out + said.err


@pytest.mark.parametrize("content", [b"[" * 10**5, b"\xff\xfe", b"[]", b'{"benchmarks": 3}', b""])
def test_no_benchmark_file(content, tmp_path, capsys):
    (tmp_path / "x.json").write_bytes(content)
    assert main(["cost", str(tmp_path / "x.json")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    "encoding", [FEW_SIGNS[0], *(pytest.param(e, marks=pytest.mark.exam) for e in FEW_SIGNS[1:])]
)
def test_a_console_with_few_signs(encoding, benchmark_file, tmp_path):
    files = [str(tmp_path / name) for name in ("maría → 中.html", "maría → 中.png")]
    said = said_on(encoding, ["cost", str(benchmark_file), "--html", files[0], "--png", files[1]])
    assert said.code == 0 and said.err == ""
    assert "of limit" in said.out and ("xref" in said.out or "×ref" in said.out)
    assert "..." not in said.out and "…" not in said.out  # nothing is cut away
    assert max(map(len, said.out.splitlines()[:-2])) <= 63  # a sign can become two
    assert "a > ?.png is written." in said.out
    said = said_on(encoding, ["cost", str(benchmark_file), "--step", "→"])
    assert said.code == 1 and "no step '>'" in said.err and said.err.count("\n") == 1


def test_a_size_that_needs_too_much_memory_is_refused(monkeypatch):
    work = Work(Size("Aitana-2B-S", 16, 2048), CPU)
    monkeypatch.setattr("token_journey.cost.workload.free_memory", lambda: 4e9)
    with pytest.raises(TooLarge, match=r"would take .* GB and 4\.0 GB are free: close other"):
        check_memory(work.bytes_of("lm_head"), "lm_head at 2048 tokens")


def test_a_machine_is_measured_at_its_best():
    slow, fast = (Machine(rate, 10 / rate, "cpu", 2) for rate in (1.0, 2.0))
    assert best([slow, fast]) == Machine(2.0, 10.0, "cpu", 2)


def test_what_a_machine_can_do_is_read_beside_each_step():
    readings = iter(Machine(float(n), 1.0, "cpu", 2) for n in (3, 1, 2))
    bench = Bench(CPU)
    bench._gauge = SimpleNamespace(read=lambda: next(readings))
    for highest in (3.0, 2.0):
        with bench.beside() as machine:
            pass
        assert machine().flops_per_second == highest
