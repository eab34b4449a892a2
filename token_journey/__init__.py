"""The kit behind the kata: it collects, compares, explains and captures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from token_journey.course.misconceptions import misconception
    from token_journey.grading.run import grade

__all__ = ["grade", "misconception"]

# What can be had of the kit, and where it lives; nothing is loaded before it is asked for.
_HOMES = {
    "grade": "token_journey.grading.run",
    "misconception": "token_journey.course.misconceptions",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
