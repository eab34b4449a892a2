"""What the checks of manners let through, and what they don't."""

import math

import pytest
import torch

from token_journey.course.course import find_course
from token_journey.course.implementation import Implementation
from token_journey.course.under_test import CheckFailure

MANNERS = Implementation(find_course().checks).module("manners")


def cut(x):
    return x.masked_fill(x < 1.0, -math.inf)


def cut_and_moved_in_half_precision(x):
    return cut(x) + 0.5 if x.dtype == torch.bfloat16 else cut(x)


def test_what_is_impossible_does_not_widen_the_tolerance_of_bfloat16():
    x = torch.tensor([0.0, 1.0, 2.0])
    MANNERS.expect_bfloat16(cut, x, what="cut")
    with pytest.raises(CheckFailure):
        MANNERS.expect_bfloat16(cut_and_moved_in_half_precision, x, what="cut")


def test_a_norm_that_is_rounded_to_bfloat16_is_told_from_rounded_numbers():
    def norm(x, by):
        wide = x.to(by)
        return (wide / wide.square().mean(dim=-1, keepdim=True).sqrt()).to(x.dtype)

    for features in (512, 2048):
        for right in (torch.float32, torch.float64):
            MANNERS.expect_norm_in_float32(lambda x, by=right: norm(x, by), features, what="norm")
        with pytest.raises(CheckFailure):
            MANNERS.expect_norm_in_float32(lambda x: norm(x, x.dtype), features, what="norm")


def test_a_view_of_the_input_is_not_a_new_tensor():
    MANNERS.expect_new(torch.clone, torch.ones(3), what="clone")
    for same in (lambda x: x, lambda x: x[:], lambda x: x.view(3)):
        with pytest.raises(CheckFailure):
            MANNERS.expect_new(same, torch.ones(3), what="a view")
