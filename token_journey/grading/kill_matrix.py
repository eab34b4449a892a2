"""The kill matrix: which check stops which mistake, and by how wide a margin.

Every check of every stage is held against every misconception and every right
variant. A mistake is stopped where a check raises. The margin of a mistake is
how much farther it lands from the expected numbers, at its best check, than
any right variant does there: between the two the tolerance has its place.
"""

from __future__ import annotations

import contextlib
import io
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from token_journey.checking.comparison import Comparison
from token_journey.course.course import find_clone
from token_journey.course.implementation import Implementation
from token_journey.course.misconceptions import Rewrite, rewrites_in, rewritten
from token_journey.course.stage import Stage
from token_journey.course.under_test import StageUnderTest
from token_journey.grading.collect import StageModule
from token_journey.grading.diagnosis.answers import Question
from token_journey.grading.diagnosis.bank import Bank
from token_journey.grading.diagnosis.doctor import Doctor
from token_journey.grading.diagnosis.observed import Observed, observe
from token_journey.grading.diagnosis.patterns import FILE, Pattern, Patterns, as_text
from token_journey.grading.item import questions_of
from token_journey.grading.session import DIAGNOSES_A_STAGE

WHOLE, SUMMARY = Path("build", "kill-matrix.md"), Path("docs", "kill-matrix-summary.md")


# Nobody counts on what lies so near to the tolerance, unless a right way does, too.
_NEAR = 0.5, 2.0


@dataclass
class Row:
    """One rewrite: the checks that stop it, its margin over right variants, what it is called."""

    stage: str
    rewrite: Rewrite
    stopped_by: list[str] = field(default_factory=list)
    margin: float = 0.0
    called: list[str] = field(default_factory=list)
    fails: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)

    def note(self, question: Question, seen: Observed, honest: list[list[float]]) -> None:
        """What came of a check, beside how far right ways land there."""
        if seen.until_wrong().wrong and question.of not in self.stopped_by:
            self.stopped_by.append(question.of)
        errors = _errors(seen)
        self.margin = max([self.margin, *_margins(errors, honest)])
        farthest = max(errors, default=0.0)
        if farthest > _NEAR[1]:
            self.fails.add(question.name)
        elif not seen.ended or farthest > max([_NEAR[0], *itertools.chain(*honest)]):
            self.unsure.add(question.name)


class Matrix:
    """A pytest plugin that, instead of running the checks, holds them against the bank."""

    def __init__(self, reference: Path, bank: Path, variants: Path):
        self._reference = Implementation(reference)
        self._bank = Implementation(bank)
        self._variants = Implementation(variants)
        self.rows: list[Row] = []
        self.variants: list[Row] = []
        self.patterns: dict[str, Patterns] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        modules = dict.fromkeys(item.getparent(StageModule) for item in session.items)
        for module in filter(None, modules):
            told = [i.originalname for i in session.items if isinstance(i, pytest.Function)]
            self._stage(module.judge.stage.name, questions_of(module), list(dict.fromkeys(told)))
        return True

    def _stage(self, stage: str, questions: list[Question], told: list[str]) -> None:
        """told: the stage's checks, among others, in the order in which a run tells of them"""
        right = [Row(stage, r) for r in rewrites_in(self._variants.module(stage))]
        wrong = [Row(stage, r) for r in rewrites_in(self._bank.module(stage))]
        under_test = {id(row): _Fresh(self._reference, stage, row.rewrite) for row in right + wrong}
        solution = _Fresh(self._reference, stage)
        for question in questions:
            honest = [_errors(observe(question.check, solution))]
            for row in right:
                seen = observe(question.check, under_test[id(row)])
                honest.append(_errors(seen))
                row.note(question, seen, honest)
            for row in wrong:
                seen = observe(question.check, under_test[id(row)])
                row.note(question, seen, honest)
                if (
                    question.name in row.fails
                    and not observe(question.check, _Alone(self._reference, stage, row.rewrite))
                    .until_wrong()
                    .wrong
                ):
                    row.fails.remove(question.name)  # it depends on others, or on chance
                    row.unsure.add(question.name)
        self.patterns[stage] = Patterns(
            tuple(question.name for question in questions),
            {r.rewrite.name: Pattern(frozenset(r.fails), frozenset(r.unsure)) for r in wrong},
        )
        bank = Bank(stage, self._reference, self._bank, self.patterns[stage])
        for row in wrong:
            row.stopped_by.sort(key=told.index)
            row.called = _called(Doctor(bank, under_test[id(row)], questions), questions, row)
        self.rows += wrong
        self.variants += right


class _Fresh(StageUnderTest):
    """The reference's stage with rewrites in it, written anew for every check."""

    def __init__(self, reference: Implementation, stage: str, *rewrites: Rewrite):
        self._module: ModuleType | None = None

        def write() -> ModuleType:
            self._module = self._module or rewritten(reference, stage, *rewrites)
            return self._module

        super().__init__(reference.folder / f"{stage}.py", write)

    def trial(self, seconds: float) -> AbstractContextManager[None]:
        self._module = None
        return super().trial(seconds)


class _Alone(StageUnderTest):
    """The reference's stage with a rewrite that the check calls and the other functions don't.

    What is drawn by a check's generator is drawn otherwise.
    """

    def __init__(self, reference: Implementation, stage: str, change: Rewrite):
        right, wrong = rewritten(reference, stage), rewritten(reference, stage, change)
        module = ModuleType(right.__name__)
        module.__dict__.update(vars(right), **{change.function: vars(wrong)[change.function]})
        super().__init__(reference.folder / f"{stage}.py", lambda: module)

    def __getattr__(self, function: str) -> Any:
        found = super().__getattr__(function)
        if isinstance(found, type):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            for value in (*args, *kwargs.values()):
                if isinstance(value, torch.Generator):
                    torch.rand(1, generator=value)
            return found(*args, **kwargs)

        return call


def _called(doctor: Doctor, questions: list[Question], row: Row) -> list[str]:
    """What the first few failing checks call the mistake, as a learner would be told."""
    first = [
        next(q for q in questions if q.of == check and q.name in row.fails | row.unsure)
        for check in row.stopped_by[:DIAGNOSES_A_STAGE]
    ]
    return [story for question in first if (story := doctor.diagnose(question).story)]


def _errors(seen: Observed) -> list[float]:
    """How far each comparison lands, in units of its tolerance; inf for what broke off."""
    errors = list(map(_error, seen.comparisons))
    return [*errors, inf] if seen.error else errors


def _error(comparison: Comparison) -> float:
    mine, right = comparison.actual, comparison.expected
    if not isinstance(right, Tensor):
        return 0.0 if mine == right else inf
    if not isinstance(mine, Tensor) or mine.shape != right.shape or mine.dtype != right.dtype:
        return inf
    if not right.dtype.is_floating_point:
        return 0.0 if bool((mine == right).all()) else inf
    both = right.isfinite()
    if bool(comparison.wrong[~both].any()):  # what is impossible must stay so
        return inf
    apart = (mine.detach().double() - right.double()).abs()[both]
    allowed = torch.as_tensor(comparison.tolerance, dtype=torch.float64).expand(right.shape)[both]
    if not apart.numel():
        return 0.0
    if not bool(apart.isfinite().all()):
        return inf
    return torch.where(apart == 0, 0.0, apart / allowed).max().item()


def _margins(lands: list[float], honest: list[list[float]]) -> Iterable[float]:
    for place, error in enumerate(lands):
        near = max((errors[place] for errors in honest if place < len(errors)), default=0.0)
        if error > 1.0:
            yield error / near if 0.0 < near < inf else inf


def build_matrix(reference: Path, bank: Path, variants: Path, stage: str = "") -> Matrix:
    """Hold everything against everything, of one stage if it is named; all take minutes."""
    matrix = Matrix(reference, bank, variants)
    asked = reference / f"{stage}.py" if stage else reference
    with contextlib.redirect_stdout(io.StringIO()):  # what pytest says of a run without tests
        pytest.main([str(asked), "-p", "no:cacheprovider"], plugins=[matrix])
    return matrix


def as_markdown(matrix: Matrix) -> str:
    """One table a stage: a row a mistake, what stops it, and its margin."""
    lines = [
        "# The kill matrix",
        "",
        "Which check stops which mistake, made by `make matrix`. The margin",
        "is how much farther a mistake lands from the expected numbers than any right variant,",
        "at the check that shows it best; ∞ where right variants land exactly, or where what",
        "differs is no number. At least 10 is asked for.",
    ]
    for stage, rows in _by_stage(matrix.rows).items():
        lines += ["", f"## Stage {stage.number} · {stage.title} ({len(rows)} mistakes)", ""]
        lines += ["| mistake | stopped by | margin |", "|---|---|---|"]
        for row in rows:
            stopped = ", ".join(f"`{check.removeprefix('test_')}`" for check in row.stopped_by)
            lines.append(f"| {row.rewrite.name} | {stopped} | {_shown(row.margin)} |")
    return "\n".join(lines) + "\n"


def as_summary(matrix: Matrix) -> str:
    """One row a stage: how large the bank is, and where it hangs on little."""
    lines = [
        "# The kill matrix in short",
        "",
        "Every check was held against every known mistake and every right variant. `make matrix`",
        "makes this table, and writes the whole matrix (which check stops which mistake, by how",
        "much) to `build/kill-matrix.md`. *Checks that stop only one*: without such a check, one",
        "known mistake has one check fewer that stops it. The *margin* of a mistake is how much",
        "farther it lands from the expected numbers than any right variant, at the check that",
        "shows it best; ∞ where right variants land exactly, or where what differs is no number.",
        "At least 10 is asked for.",
        "",
        "| stage | mistakes | right variants | checks that stop only one | smallest margin |",
        "|---|---|---|---|---|",
    ]
    right = _by_stage(matrix.variants)
    for stage, wrong in _by_stage(matrix.rows).items():
        single, margin = _stopping_one(wrong), _shown(min(row.margin for row in wrong))
        lines.append(f"{counts(stage, len(wrong), len(right[stage]))} {single} | {margin} |")
    lines.append(f"| all | {len(matrix.rows)} | {len(matrix.variants)} | | |")
    return "\n".join(lines) + "\n"


def counts(stage: Stage, wrong: int, right: int) -> str:
    """How a row of the summary begins."""
    return f"| {stage.number} · {stage.title} | {wrong} | {right} |"


def _by_stage(rows: Iterable[Row]) -> dict[Stage, list[Row]]:
    by_stage: dict[Stage, list[Row]] = defaultdict(list)
    for row in rows:
        by_stage[Stage(row.stage)].append(row)
    return by_stage


def _stopping_one(rows: Iterable[Row]) -> int:
    """How many checks stop one mistake and no other."""
    return list(Counter(check for row in rows for check in row.stopped_by).values()).count(1)


def _shown(margin: float) -> str:
    """As far as it is the same on every machine."""
    if margin == inf:
        return "∞"
    return "> 1,000" if margin > 1000 else f"{float(f'{margin:.2g}'):g}"


def write_matrix() -> None:
    """Write this checkout's matrix to build/, where git looks away, and its summary to docs/."""
    course = find_clone()
    bank, variants = course.checks / "misconceptions", course.home / "tests" / "course" / "variants"
    matrix = build_matrix(course.reference, bank, variants)
    patterns = bank.relative_to(course.home) / FILE
    for place, text in (
        (WHOLE, as_markdown(matrix)),
        (SUMMARY, as_summary(matrix)),
        (patterns, as_text(matrix.patterns)),
    ):
        file = course.home / place
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
        print(f"{place} is fresh.")
