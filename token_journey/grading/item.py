"""What a pytest item stands for: a check, which any stage can be held against."""

from __future__ import annotations

from typing import Any

import pytest

from token_journey.checking.case import NotOnThisPack
from token_journey.checking.comparison import holding_back
from token_journey.course.under_test import Check, StageUnderTest
from token_journey.grading.diagnosis.answers import Question


def check_of(item: pytest.Function) -> Check:
    """The check that an item stands for, to be held against any stage."""
    given = dict(item.callspec.params) if hasattr(item, "callspec") else {}
    cases: Any = given.pop("case", [None])

    def check(stage: StageUnderTest) -> None:
        for case in cases:
            with holding_back(case is not None and case.pack.held_back):
                item.obj(stage=stage, **given, **({} if case is None else {"case": case}))

    return check


def not_on_this_pack(item: pytest.Function) -> NotOnThisPack | None:
    """What an item stands for instead of a check, if it does."""
    case = item.callspec.params.get("case") if hasattr(item, "callspec") else None
    return case if isinstance(case, NotOnThisPack) else None


def pack_of(item: pytest.Function) -> str | None:
    """The name of the pack whose numbers an item is about, if it is about any."""
    case = item.callspec.params.get("case") if hasattr(item, "callspec") else None
    return case[0].pack.name if isinstance(case, list) else None


def is_held_back(item: pytest.Function) -> bool:
    """Whether an item's numbers are not to be shown."""
    case = item.callspec.params.get("case") if hasattr(item, "callspec") else None
    return isinstance(case, list) and any(each.pack.held_back for each in case)


def questions_of(module: pytest.Module) -> list[Question]:
    """All checks of a stage, whichever of them were selected.

    One of each comes first, on no model or a small one; then all others, the small ones first.
    """
    items = [item for item in module.collect() if isinstance(item, pytest.Function)]
    items = [item for item in items if not not_on_this_pack(item)]
    items.sort(key=_size)
    first = {item.originalname: item for item in reversed(items)}.values()
    ordered = [*sorted(first, key=_size), *(item for item in items if item not in first)]
    return [Question(item.name, item.originalname, check_of(item)) for item in ordered]


def _size(item: pytest.Function) -> int:
    cases: Any = item.callspec.params.get("case") if hasattr(item, "callspec") else None
    return cases[0].config.hidden_size if cases else 0
