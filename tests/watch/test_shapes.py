"""Shapes to predict: the answers are those of the reference, run on tensors of that size."""

import io

import pytest
import torch

from token_journey.commands.main import main
from token_journey.course.course import find_course
from token_journey.course.implementation import Implementation
from token_journey.course.stage import Stage
from token_journey.watch.shapes import questions, quiz

COURSE = find_course()
ASKED = [(stage, q) for stage in COURSE.stages() for q in questions(COURSE, stage)]
# What is called with more than tensors and counts is not called here.
NEEDS_MORE = {"grouped_query_attention", "decoder_layer", "decoder", "next_logits", "generate"}
MORE = {
    "rms_norm": {"eps": 1e-5},
    "lm_head": {"eps": 1e-5},
    "frequencies": {"theta": 1e4},
    "apply_temperature": {"temperature": 1.0},
    "keep_top_k": {"k": 2},
    "keep_top_p": {"p": 0.5},
}


def test_every_stage_with_tensors_asks_for_both_models():
    asked = {stage.number for stage, _ in ASKED}
    assert asked == set(range(2, 11))
    models = [q.model for _, q in ASKED]
    assert models[::2] == ["Aitana-2B-S"] * (len(models) // 2)
    assert models[1::2] == ["SmolLM2-135M"] * (len(models) // 2)


@pytest.mark.parametrize(
    "stage, question",
    [pytest.param(s, q, id=f"{q.model}-{q.function}") for s, q in ASKED if q.model[0] == "S"],
)
def test_the_reference_returns_that_shape(stage, question):
    """On real sizes but for the vocabulary, which is the same in both shapes."""
    if question.function in NEEDS_MORE:
        pytest.skip("called with weights")
    reference = Implementation(COURSE.reference)
    module = reference.module(stage.name)
    function = getattr(module, question.function, None)
    if function is None:  # a cache that holds the earlier tokens
        cache = module.KeyValueCache()
        earlier = torch.zeros(question.sizes["K"], 3, question.sizes["d"])
        cache.update(earlier, earlier)
        function = cache.update
    given = {
        name: torch.zeros(question._shape(axes), dtype=_dtype(name))
        for name, axes in question.inputs.items()
    }
    given |= {name: question.sizes[letter] for name, letter in question.counts.items()}
    result = function(**given, **MORE.get(question.function, {}))
    result = result[0] if isinstance(result, tuple) else result
    assert tuple(result.shape) == question.answer
    reference.unload()


def _dtype(name):
    return {"token_ids": torch.long, "mask": torch.bool, "positions": torch.long}.get(name)


def of(function, model="SmolLM2-135M"):
    return next(q for _, q in ASKED if q.function == function and q.model == model)


@pytest.mark.parametrize(
    "function, typed, said",
    [
        ("split_heads", "9 5 64", "Right: (9, 5, 64), that is (H, T, d)."),
        ("split_heads", "(9, 5, 64)", "Right"),
        ("split_heads", "5 9 64", "Axis 1 is H, query heads: 9. It is `n_heads`."),
        ("split_heads", "9 5 9", "Axis 3 is d, numbers a head: 64. `x` has it in its axis 2: "),
        ("split_heads", "5 576", "It has 3 axes: "),
        ("merge_heads", "5 64", "Axis 2 is H*d: 576. It is H·d = 9·64."),
        ("repeat_kv", "3 5 64", "Each of K = 3 heads stands for G = 3: H = K·G."),
        ("attention_pattern", "9 5 5", "Axis 2 is Q, new tokens: 2. In `q` it is axis 2."),
        ("frequencies", "64", "It is d/2 = 64/2."),
        ("update", "3 2 64", "The 2 new tokens stand behind the earlier ones."),
        ("generate", "5", "It is T+N = 5+3."),
    ],
)
def test_why_it_is_wrong(function, typed, said):
    holds, text = of(function).judge(typed)
    assert said in text
    assert holds == said.startswith("Right")


def test_a_quiz_ends_with_an_empty_line(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("5 2048\n1 2\n\n"))
    assert main(["shapes", "3"]) == 0
    said = capsys.readouterr().out
    assert "Right: (5, 2048)" in said
    assert "It is (5, 576)" in said
    assert said.endswith("\n1 of 2 right.\n")


def test_nothing_typed_and_no_tensors(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["shapes", "3"]) == 0
    assert main(["shapes", "1"]) == 1
    assert "Stage 1 has no tensors" in capsys.readouterr().err
    assert main(["shapes", "0"]) == 1


def test_all_right_to_the_end():
    asked = list(questions(COURSE, Stage("s09_softmax")))
    answers = iter([" ".join(map(str, q.answer)) for q in asked])
    said = []
    quiz(asked, lambda _: next(answers), said.append)
    assert said[-1] == f"\n{len(asked)} of {len(asked)} right."
