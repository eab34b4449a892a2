"""What a pytest item stands for: a check, which any stage can be held against."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from token_journey.checking.case import NotOnThisPack
from token_journey.checking.comparison import holding_back
from token_journey.course.under_test import Check, StageUnderTest


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


def is_held_back(item: pytest.Function) -> bool:
    """Whether an item's numbers are not to be shown."""
    case = item.callspec.params.get("case") if hasattr(item, "callspec") else None
    return isinstance(case, list) and any(each.pack.held_back for each in case)


def others_and_siblings(failed: pytest.Function) -> tuple[Iterator[Check], Iterator[Check]]:
    """What else tells of a failure: the stage's checks, and the same check on other models.

    Those on no model or a small one come first, and of these the nearest in the file.
    """
    ours = [
        item
        for item in failed.session.items
        if isinstance(item, pytest.Function)
        and item.parent is failed.parent
        and not not_on_this_pack(item)
    ]
    # As they stand in the file, in whatever order they run.
    places = {name: place for place, name in enumerate(vars(failed.module))}

    ours.sort(key=lambda item: places[_name(item)])

    def order(item: pytest.Function) -> tuple[int, int, int]:
        cases: Any = item.callspec.params.get("case") if hasattr(item, "callspec") else None
        size = cases[0].config.hidden_size if cases else 0
        return size // 100, abs(places[_name(item)] - places[_name(failed)]), size

    ours.sort(key=order)
    first = list({_name(item): item for item in reversed(ours)}.values())[::-1]  # of each check
    others = first + [item for item in ours if item not in first]
    siblings = [item for item in ours if _name(item) == _name(failed) and item is not failed]
    return map(check_of, others), map(check_of, siblings)


def _name(item: pytest.Function) -> str:
    return item.originalname
