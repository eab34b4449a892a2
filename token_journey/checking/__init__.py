"""What a check file is written with: the API for course authors."""

from token_journey.checking.case import (
    captured,
    expect,
    expect_equal,
    expect_true,
    expect_written,
    rounding,
    tensor,
    unpack,
)
from token_journey.checking.comparison import Comparison, judge, wrong_kind
from token_journey.course.under_test import CheckFailure

__all__ = [
    "CheckFailure",
    "Comparison",
    "captured",
    "expect",
    "expect_equal",
    "expect_true",
    "expect_written",
    "judge",
    "rounding",
    "tensor",
    "unpack",
    "wrong_kind",
]
