"""The kit behind the kata: it collects, compares, explains and captures.

What is named here, and `token_journey.checking` for authors of checks, stays as it is; all
else may change without notice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from token_journey.course.course import find_course
    from token_journey.course.misconceptions import misconception
    from token_journey.errors import UserError
    from token_journey.grading.run import grade
    from token_journey.notebook.walk import walk
    from token_journey.packs.pack import Pack

__all__ = ["Pack", "UserError", "find_course", "grade", "misconception", "walk"]

# Where each lives; nothing is loaded before it is asked for.
_HOMES = {
    "Pack": "token_journey.packs.pack",
    "UserError": "token_journey.errors",
    "find_course": "token_journey.course.course",
    "grade": "token_journey.grading.run",
    "load_ipython_extension": "token_journey.notebook.magics",  # for `%load_ext token_journey`
    "misconception": "token_journey.course.misconceptions",
    "walk": "token_journey.notebook.walk",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
