"""The kill matrix: which check stops which mistake, and by how wide a margin.

Every check of every stage is held against every misconception and every right
variant. A mistake is stopped where a check raises. The margin of a mistake is
how much farther it lands from the expected numbers, at its best check, than
any right variant does there: between the two the tolerance has its place.
"""

from __future__ import annotations

import contextlib
import io
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

import pytest
import torch
from torch import Tensor

from token_journey.checking import StageUnderTest
from token_journey.compare import Comparison, observed_by
from token_journey.diagnosis import Check
from token_journey.grading import StageModule, check_of
from token_journey.implementation import Implementation, Stage
from token_journey.limits import OutOfTime, time_limit
from token_journey.misconceptions import Rewrite, rewrites_in, rewritten

_SECONDS = 2.0


@dataclass
class Row:
    """One rewrite: the checks that stop it, and its margin over right variants."""

    stage: str
    rewrite: Rewrite
    stopped_by: list[str] = field(default_factory=list)
    margin: float = 0.0


class Matrix:
    """A pytest plugin that, instead of running the checks, holds them against the bank."""

    def __init__(self, reference: Path, bank: Path, variants: Path):
        self._reference = Implementation(reference)
        self._bank = Implementation(bank)
        self._variants = Implementation(variants)
        self.rows: list[Row] = []
        self.variants: list[Row] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        checks: dict[Stage, dict[str, list[Check]]] = defaultdict(lambda: defaultdict(list))
        for item in session.items:
            module = item.getparent(StageModule)
            if module is not None and isinstance(item, pytest.Function):
                checks[module.judge.stage][item.originalname].append(check_of(item))
        for stage in sorted(checks):
            self._stage(stage.name, checks[stage])
        return True

    def _stage(self, stage: str, checks: dict[str, list[Check]]) -> None:
        right = [Row(stage, r) for r in rewrites_in(self._variants.module(stage))]
        wrong = [Row(stage, r) for r in rewrites_in(self._bank.module(stage))]
        file = self._reference.folder / f"{stage}.py"
        modules = {id(row): rewritten(self._reference, stage, row.rewrite) for row in right + wrong}
        modules[0] = self._reference.module(stage)

        def under_test(key: int) -> StageUnderTest:
            return StageUnderTest(file, lambda: modules[key])

        for name, parts in checks.items():
            for check in parts:
                honest = [_errors(check, under_test(key)) for key in [0, *map(id, right)]]
                for row in right + wrong:
                    if _stops(check, under_test(id(row))):
                        row.stopped_by += [name] if name not in row.stopped_by else []
                for row in wrong:
                    lands = _errors(check, under_test(id(row)))
                    row.margin = max([row.margin, *_margins(lands, honest)])
        self.rows += wrong
        self.variants += right


def _stops(check: Check, stage: StageUnderTest) -> bool:
    try:
        with time_limit(_SECONDS):
            check(stage)
    except (Exception, SystemExit, OutOfTime):
        return True
    return False


def _errors(check: Check, stage: StageUnderTest) -> list[float]:
    """How far each comparison of a check lands, in units of its tolerance; inf if it can't."""
    seen: list[Comparison] = []
    try:
        with observed_by(seen.append), time_limit(_SECONDS):
            check(stage)
    except (Exception, SystemExit, OutOfTime):
        return [*map(_error, seen), inf]
    return list(map(_error, seen))


def _error(comparison: Comparison) -> float:
    mine, right = comparison.actual, comparison.expected
    if not isinstance(right, Tensor):
        return 0.0 if mine == right else inf
    if not isinstance(mine, Tensor) or mine.shape != right.shape or mine.dtype != right.dtype:
        return inf
    if not right.dtype.is_floating_point:
        return 0.0 if bool((mine == right).all()) else inf
    both = right.isfinite()
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


def build_matrix(reference: Path, bank: Path, variants: Path) -> Matrix:
    """Hold everything against everything; takes about half a minute."""
    matrix = Matrix(reference, bank, variants)
    with contextlib.redirect_stdout(io.StringIO()):  # what pytest says of a run without tests
        pytest.main([str(reference), "-p", "no:cacheprovider"], plugins=[matrix])
    return matrix


def as_markdown(matrix: Matrix) -> str:
    """One table a stage: a row a mistake, what stops it, and its margin."""
    lines = [
        "# The kill matrix",
        "",
        "Which check stops which mistake, made by `python -m token_journey.matrix`. The margin",
        "is how much farther a mistake lands from the expected numbers than any right variant,",
        "at the check that shows it best; ∞ where right variants land exactly, or where what",
        "differs is no number.",
    ]
    by_stage: dict[str, list[Row]] = defaultdict(list)
    for row in matrix.rows:
        by_stage[row.stage].append(row)
    for name, rows in by_stage.items():
        stage = Stage(name)
        lines += ["", f"## Stage {stage.number} · {stage.title} ({len(rows)} mistakes)", ""]
        lines += ["| mistake | stopped by | margin |", "|---|---|---|"]
        for row in rows:
            stopped = ", ".join(f"`{check.removeprefix('test_')}`" for check in row.stopped_by)
            margin = "∞" if row.margin == inf else f"{row.margin:,.0f}"
            lines.append(f"| {row.rewrite.name} | {stopped} | {margin} |")
    return "\n".join(lines) + "\n"
