"""Which failures are told in full: a few a stage, each story once, what is basic first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache

from token_journey.course.course import find_course
from token_journey.course.signatures import parameters
from token_journey.grading.verdict import NO_END, NOT_RUN, Verdict
from token_journey.guards.time_limit import OutOfTime, WaitedTooLong

# Failures that are told in full; -vv tells all.
STORIES_A_STAGE = 3
# How the story begins of what did not end.
_ENDLESS = (OutOfTime.__name__, WaitedTooLong.__name__, NO_END)


def stories(verdicts: Iterable[Verdict]) -> tuple[list[Verdict], int]:
    """The failures of one stage that are told, and how many more there are."""
    failures = {v.check: v for v in verdicts if v.kind in ("failed", "missing")}
    told = to_tell(failures, functions())
    return [failures[check] for check in told], len(failures) - len(told)


def to_tell(failures: Mapping[str, Verdict], functions: Sequence[str] = ()) -> list[str]:
    """Which failures are told: of each stage a few, each story once.

    functions: those of the stages, the basic ones first

    Once a cause is named, a failure whose cause is not known adds no more than noise, unless it
    is another matter.
    """
    told: list[str] = []
    for stage in sorted({(v.path, v.stage) for v in failures.values()}):
        here = {n: v for n, v in failures.items() if (v.path, v.stage) == stage}
        named = {n: v for n, v in here.items() if v.named}
        apart = {n: v for n, v in here.items() if _is_apart(v, named.values(), functions)}
        stories = _stories(named, functions) + _stories(apart, functions)
        told += stories[:STORIES_A_STAGE]
    return told


def _is_apart(verdict: Verdict, named: Collection[Verdict], functions: Sequence[str]) -> bool:
    """Whether no named cause explains a failure whose own is not known.

    It raised an error in a function where none of them did, or it failed in a function that is
    more basic than theirs.
    """
    if verdict.named:
        return False
    elsewhere = verdict.function not in {v.function for v in named if v.broken}
    order = {name: place for place, name in enumerate(functions)}
    here = order.get(verdict.function, len(order))
    basic = all(here < order.get(v.function, -1) for v in named)
    return basic or (verdict.broken and elsewhere)


def _stories(failures: Mapping[str, Verdict], functions: Sequence[str]) -> list[str]:
    """One failure of each story: of each function one, then a second of each, and so on.

    Among these come errors before results that are wrong, and basic functions before others.
    What did not end comes before all, for it kept others from being run; those come last.
    Of wrong results of one function whose cause is not known two are enough.
    """
    first = {_story(verdict): nodeid for nodeid, verdict in list(failures.items())[::-1]}
    stories = sorted(
        (nodeid for nodeid, verdict in failures.items() if first[_story(verdict)] == nodeid),
        key=lambda nodeid: not failures[nodeid].broken,
    )
    met: Counter[str] = Counter()
    places = {}
    for nodeid in stories:
        verdict = failures[nodeid]
        order = functions.index(verdict.function) if verdict.function in functions else -1
        turn = len(stories) if verdict.subject == NOT_RUN else met[verdict.function]
        turn = -1 if verdict.subject.startswith(_ENDLESS) else turn
        places[nodeid] = turn, not verdict.broken, order
        met[verdict.function] += 1
    return sorted((n for n in stories if _adds(failures[n], places[n][0])), key=places.__getitem__)


def _adds(verdict: Verdict, turn: int) -> bool:
    """turn: how many stories of the same function come before it"""
    return verdict.named or verdict.broken or verdict.subject == NOT_RUN or turn < 2


def _story(verdict: Verdict) -> tuple[str, str]:
    """What is the same for failures that tell the same."""
    return verdict.subject, "" if verdict.named else verdict.function


@cache
def functions() -> tuple[str, ...]:
    """The functions of all stages, in the order of the lessons: what is basic stands above."""
    course = find_course()
    return tuple(n for s in course.stages() for n in parameters(course.reference / s.file))
