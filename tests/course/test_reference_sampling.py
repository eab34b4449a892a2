"""Stage 9 against torch's softmax and transformers' own logits processors."""

import pytest
import torch
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from token_journey.course.course import find_course
from token_journey.course.implementation import Implementation

STAGE = Implementation(find_course().reference).module("s09_softmax")


def logits(rows=4, vocabulary=200, scale=3.0, seed=0):
    return scale * torch.randn(rows, vocabulary, generator=torch.Generator().manual_seed(seed))


TIED = torch.tensor([[1.0, 3.0, 3.0, 2.0, 3.0, 2.0, 0.0, -1.0]])


@pytest.mark.parametrize("dim", [-1, 0, 1])
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_softmax(dim, scale):
    x = logits(scale=scale)
    torch.testing.assert_close(STAGE.softmax(x, dim), x.softmax(dim), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("temperature", [0.1, 0.7, 1.0, 2.5])
def test_temperature(temperature):
    x = logits()
    expected = TemperatureLogitsWarper(temperature)(None, x)
    torch.testing.assert_close(STAGE.apply_temperature(x, temperature), expected)


@pytest.mark.parametrize("x", [logits(), TIED], ids=["random", "tied"])
@pytest.mark.parametrize("k", [1, 2, 3, 5, 50, 10_000])
def test_top_k(x, k):
    assert torch.equal(STAGE.keep_top_k(x, k), TopKLogitsWarper(k)(None, x))


# Where several tokens tie at the edge of p, transformers keeps whichever its sort left there.
@pytest.mark.parametrize("p", [0.01, 0.3, 0.5, 0.9, 0.999, 1.0])
@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_top_p(p, scale):
    x = logits(scale=scale)
    assert torch.equal(STAGE.keep_top_p(x, p), TopPLogitsWarper(p)(None, x))


def test_all_three_in_transformers_order():
    x = logits()
    expected = TemperatureLogitsWarper(0.6)(None, x)
    expected = TopPLogitsWarper(0.8)(None, TopKLogitsWarper(30)(None, expected))
    probs = expected.softmax(-1)
    generator = torch.Generator().manual_seed(3)
    drawn = STAGE.sample(
        x.repeat(500, 1, 1), temperature=0.6, top_k=30, top_p=0.8, generator=generator
    )
    for row in range(len(x)):
        assert (probs[row, drawn[:, row]] > 0).all()
        seen = torch.bincount(drawn[:, row], minlength=x.shape[-1]) / 500
        assert (seen - probs[row]).abs().max() < 0.12  # five standard deviations of a coin


def test_greedy():
    x = logits()
    assert torch.equal(STAGE.sample(x, temperature=0), x.argmax(-1))
