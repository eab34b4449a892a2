"""What a stage returns is taken for what it is, not for what its class says of it."""

import numpy as np
import pytest
import torch

from token_journey.checking.comparison import Comparison, holds, same_value, wrong_type


def always(self, other):
    return True


def never(self, other):
    return False


def flattering(kind):
    return type("Mine", (kind,), {"__eq__": always, "__ne__": never, "__hash__": kind.__hash__})


FLATTERING = type(
    "Mine",
    (),
    {"__eq__": always, "__index__": lambda self: 1 / 0, "__class__": property(lambda self: list)},
)()


@pytest.mark.parametrize("right", [[1, 2], "text", 3, b"bytes"])
def test_a_class_of_one_s_own_is_not_taken_for_a_plain_value(right):
    kind = type(right)
    mine = flattering(kind)(right)
    assert str(wrong_type("x", mine, kind)) == f"x is a Mine; it should be a {kind.__name__}."
    assert not holds(Comparison("x", mine, right))
    assert holds(Comparison("x", kind(right), right))


@pytest.mark.parametrize("right", [[1], ["a"], [b"a"], [[1]], [(1, 2)], (1,)])
def test_nor_is_what_a_list_holds(right):
    assert not same_value(type(right)([FLATTERING]), right)
    assert same_value(type(right)(right), right)


@pytest.mark.parametrize("kind", [str, bytes, list, tuple])
def test_an_element_counts_by_what_it_holds(kind):
    right, wrong = kind(), kind(b"x" if kind is not str else "x")
    assert same_value([flattering(kind)(right)], [right])
    assert not same_value([flattering(kind)(wrong)], [right])


@pytest.mark.parametrize("three", [3, np.int64(3), torch.tensor(3), 3.0])
def test_an_integer_may_be_a_library_s(three):
    assert same_value([three], [3])
    assert not same_value([three], [4])


def test_a_class_without_a_name_has_a_sentence():
    said = str(wrong_type("x", type("", (), {})(), list))
    assert said == "x is a class without a name; it should be a list."
