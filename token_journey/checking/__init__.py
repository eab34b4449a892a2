"""What a check file is written with: the API for course authors.

A check is a pytest function that takes `stage`, the learner's stage, and often
`case`, one place in a pack where a real model computed just this:

    @captured(x="blocks.{l}.resid_pre",
              weight="model.layers.{l}.input_layernorm.weight",
              out="blocks.{l}.ln1.out")
    def test_what_a_real_model_computed(stage, case):
        case.expect("out", stage.rms_norm(case.x, case.weight, case.config.rms_norm_eps))

The first line of its docstring is what a learner reads when it fails.
"""

from token_journey.checking.case import captured
from token_journey.checking.comparison import Comparison, compare, wrong_kind
from token_journey.checking.expectations import (
    expect,
    expect_equal,
    expect_true,
    expect_written,
    rounding,
    tensor,
    unpack,
)
from token_journey.course.under_test import CheckFailure

__all__ = [
    "CheckFailure",
    "Comparison",
    "captured",
    "compare",
    "expect",
    "expect_equal",
    "expect_true",
    "expect_written",
    "rounding",
    "tensor",
    "unpack",
    "wrong_kind",
]
