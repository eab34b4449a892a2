"""What is said of numbers that are wrong: simple things that happened to them, and where."""

import math

import pytest
import torch

from token_journey.checking.comparison import Comparison, Mismatch
from token_journey.grading.diagnosis.differences import explain
from token_journey.grading.diagnosis.transformations import transformations_that_fit

HEADS = ("head", "token", "dim")
PATTERN = ("head", "query", "key")
SIZES = {"head dim": 128, "number of tokens": 5}
RIGHT = torch.randn(4, 5, 6, generator=torch.Generator().manual_seed(1))
LOOKS = torch.rand(4, 5, 5, generator=torch.Generator().manual_seed(2)).tril()


def said_of(mismatch):
    return [*map(str, explain(mismatch))]


def compared(actual, expected=RIGHT, axes=HEADS, tolerance=1e-5, **more):
    return Comparison("z", actual, expected, tolerance, axes, sizes=SIZES, **more)


@pytest.mark.parametrize(
    ("actual", "said"),
    {
        "factor": (
            math.sqrt(128) * RIGHT,
            "Every number is 11.3137 times too large: that is √128, and 128 is the head dim.",
        ),
        "small": (
            RIGHT / 5,
            "Every number is 5.0000 times too small: that is 5, and 5 is the number of tokens.",
        ),
        "odd factor": (3.3 * RIGHT, "Every number is 3.3000 times too large."),
        "sign": (-RIGHT, "Every number has the wrong sign."),
        "offset": (RIGHT + 0.25, "Every number is too large by the same 0.2500."),
        "transposed": (RIGHT.mT, "The last two axes are exchanged: yours is the transpose."),
        "heads": (
            RIGHT[[2, 0, 3, 1]],
            "The heads are right but stand in the order 2, 0, 3, 1.",
        ),
        "late": (RIGHT.roll(1, 1), "Along token every number stands one place too late."),
        "early": (RIGHT.roll(-1, 1), "Along token every number stands one place too early."),
        "reversed": (RIGHT.flip(1), "Along token the order is reversed."),
        "halves": (RIGHT.roll(3, 2), "The two halves of the last axis are exchanged."),
        "interleaved": (
            RIGHT[..., [0, 3, 1, 4, 2, 5]],
            "On the last axis the numbers of the two halves alternate: first, second, first, "
            "second, …",
        ),
        "bfloat16": (
            RIGHT.bfloat16().float(),
            "It is right up to the rounding of bfloat16: is something computed in bfloat16?",
        ),
    }.values(),
)
def test_one_simple_thing_is_named(actual, said):
    assert [*map(str, transformations_that_fit(compared(actual)))] == [said]


def test_nothing_is_guessed():
    noise = torch.randn(RIGHT.shape, generator=torch.Generator().manual_seed(3))
    assert transformations_that_fit(compared(noise)) == []


def test_a_soft_cap_is_not_taken_for_rounding():
    """It is as small, but moves all numbers towards 0."""
    capped = 20 * (RIGHT / 20).tanh()
    assert capped.bfloat16().isclose(RIGHT.bfloat16(), rtol=0.02).all()
    assert transformations_that_fit(compared(capped)) == []


def changed(part, values=RIGHT):
    """The same but for a part of it."""
    other = values.clone()
    other[part] = other[part] + 1.0
    return other


@pytest.mark.parametrize(
    ("actual", "said"),
    {
        "first half": (
            changed((..., slice(3))),
            "Only the first half of each head is wrong.",
        ),
        "second half": (
            changed((..., slice(3, None))),
            "Only the second half of each head is wrong.",
        ),
        "one token": (changed((slice(None), 2)), "Only token 2 is wrong."),
        "one head": (changed(1), "Only head 1 is wrong."),
    }.values(),
)
def test_where_it_differs(actual, said):
    assert said in said_of(Mismatch(compared(actual), None))


def test_only_the_future_differs():
    """And with fewer queries than keys the last query's future ends with the last key."""
    future = torch.ones(5, 5).triu(1)
    for first in (0, 3):
        right, wrong = LOOKS[:, first:], (LOOKS + future)[:, first:]
        said = said_of(Mismatch(compared(wrong, right, PATTERN), None))
        assert "Only keys in the future of their query are wrong." in said
    said = said_of(Mismatch(compared(changed((0, 3, 1), LOOKS + future), LOOKS, PATTERN), None))
    assert not any("future" in line for line in said)


def test_a_few_numbers_of_both_from_the_worst_row():
    wrong = changed((2, 3, 0))
    lines = said_of(Mismatch(compared(wrong), None))
    shown = [line for line in lines if line.startswith(("yours", "expected"))]
    mine, theirs = (", ".join(f"{x:.4f}" for x in rows[2, 3].tolist()) for rows in (wrong, RIGHT))
    assert shown == [f"yours    [{mine}] at head 2, token 3", f"expected [{theirs}]"]


def test_what_the_dots_hide_is_shown_alone():
    right = torch.zeros(2, 100)
    wrong = right.clone()
    wrong[1, 50] = -8.5
    lines = said_of(Mismatch(compared(wrong, right, ("token", "vocabulary")), None))
    assert lines[-2:] == ["yours    -8.5000 at token 1, vocabulary 50", "expected 0.0000"]
    held = said_of(Mismatch(compared(wrong, right, ("token", "vocabulary"), held_back=True), None))
    assert held[-1] == "yours at token 1, vocabulary 50: -8.5000"


@pytest.mark.parametrize(("bad", "called"), [(math.nan, "NaN"), (math.inf, "infinity")])
def test_no_numbers_say_where_they_may_come_from(bad, called):
    wrong = RIGHT.clone()
    wrong[1, 2] = bad
    lines = said_of(Mismatch(compared(wrong), None))
    assert lines[0] == f"6 of 120 numbers are {called}, first at head 1, token 2, dim 0."
    assert lines[1].startswith("Where it may come from: ")
