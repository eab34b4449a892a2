"""The pytest plugin of `--benchmark-only`: collect the costs of a stage file, not its checks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from math import inf
from typing import Any

import pytest
import torch

from token_journey.cost.benches import THEIRS, TOKENS, parametrize, seconds_at_least
from token_journey.cost.budget import Budget
from token_journey.cost.fixture import Bench, CostOf, RoundTimer
from token_journey.cost.workload import Size
from token_journey.grading.collect import StageModule, session_of
from token_journey.grading.item import check_of
from token_journey.grading.judge import Judge

_BENCH = pytest.StashKey[Bench]()
_BUDGET = pytest.StashKey[Budget]()
_CHECKS = pytest.StashKey[dict[Judge, list[pytest.Function]]]()
_NOT_RIGHT = pytest.StashKey[dict[Judge, str]]()
_TIMER = pytest.StashKey[RoundTimer]()


class CostModule(pytest.Module):
    """A stage file whose tests are checks/cost_<stage>.py."""

    judge: Judge
    folder: str

    def _getobj(self) -> Any:
        return session_of(self.config).checks.module(f"cost_{self.judge.stage.name}")


def cost_modules(collectors: Iterable[pytest.Collector]) -> list[CostModule]:
    """What there is to time of stage files, beside their checks."""
    stages = [module for module in collectors if isinstance(module, StageModule)]
    return [costs for module in stages for costs in _cost_modules(module)]


def _cost_modules(module: StageModule) -> list[CostModule]:
    stage = module.judge.stage
    course = session_of(module.config).course
    if not (course.checks / f"cost_{stage.name}.py").is_file():
        return []
    costs: CostModule = CostModule.from_parent(module.parent, path=module.path)
    costs.judge, costs.folder = module.judge, module.folder
    return [costs]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "costs(step): time this call at all sizes")
    device = torch.device(config.getoption("device"))
    config.stash[_BENCH] = Bench(device)
    config.stash[_NOT_RIGHT] = {}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    parametrize(metafunc)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Checks are kept to decide whether a stage is timed; transformers is timed once."""
    checks: dict[Judge, list[pytest.Function]] = defaultdict(list)
    timed, seen = [], set()
    for item in items:
        module = item.getparent(StageModule)
        if isinstance(item, pytest.Function) and module is not None:
            checks[module.judge].append(item)
            continue
        if item.getparent(CostModule) is not None and isinstance(item, pytest.Function):
            item.stash[_TIMER] = RoundTimer()
            item.add_marker(pytest.mark.benchmark(timer=item.stash[_TIMER]))
            if item.callspec.params["by"] != THEIRS:
                if item.name in seen:
                    continue
                seen.add(item.name)
        timed.append(item)
    config.stash[_CHECKS] = checks
    if config.getoption("benchmark_within") is not None:
        timed.sort(key=_is_long)
    items[:] = timed


def _is_long(item: pytest.Item) -> bool:
    """What takes longest comes last, so that it is what there may be no time for."""
    if item.getparent(CostModule) is None or not isinstance(item, pytest.Function):
        return False
    return Size.of(str(item.callspec.params["size"])).tokens == TOKENS[-1]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before anything is made: skip a stage whose checks fail."""
    module = item.getparent(CostModule)
    if isinstance(item, pytest.Function) and module is not None:
        reason = _not_right(item.config, module) if item.callspec.params["by"] == THEIRS else ""
        if reason:
            pytest.skip(reason)


@pytest.fixture
def cost(request: pytest.FixtureRequest, benchmark: Any, by: str, size: str, part: str) -> CostOf:
    """One call of one stage at one size, to be timed."""
    module = request.node.getparent(CostModule)
    config, bench = request.config, request.config.stash[_BENCH]
    mark = request.node.get_closest_marker("costs")
    return CostOf(
        bench,
        benchmark,
        request.node.stash[_TIMER],
        lambda: _stage(bench, module, by),
        by=module.folder if by == THEIRS else by,
        whole=mark.args[0],
        size=Size.of(size),
        part=part,
        rounds=(
            float(config.getoption("benchmark_max_time")),
            int(config.getoption("benchmark_min_rounds")),
        ),
        share=lambda: _share(request.node, bench),
    )


def _share(item: pytest.Function, bench: Bench) -> float:
    """The seconds there are for an item, if --benchmark-within limits them."""
    seconds = item.config.getoption("benchmark_within")
    if seconds is None:
        return inf
    timed = [each for each in item.session.items if each.getparent(CostModule) is not None]
    if _BUDGET not in item.config.stash:
        weights = _weights(timed, bench)
        item.config.stash[_BUDGET] = Budget(seconds, weights)
    return item.config.stash[_BUDGET].share(timed.index(item))


def _weights(timed: list[pytest.Item], bench: Bench) -> list[float]:
    """About how long one call of each takes; steps of one call are timed at once."""
    weights: list[float] = []
    before: object = None
    for item in timed:
        assert isinstance(item, pytest.Function)
        given, mark = item.callspec.params, item.get_closest_marker("costs")
        assert mark is not None
        key = (given["by"], mark.args[0], given["size"], bool(given["part"]))
        again = key == before and given["part"]
        least = seconds_at_least(mark.args[0], Size.of(str(given["size"])), bench.machine)
        weights.append(0.0 if again else bench.reading + least)
        before = key
    return weights


def _stage(bench: Bench, module: CostModule, by: str) -> Any:
    if by != THEIRS:
        return bench.baseline(by)
    return module.judge.folder.module(module.judge.stage.name)


def _not_right(config: pytest.Config, module: CostModule) -> str:
    """Why a stage is not timed, or nothing: its checks are run once."""
    known = config.stash[_NOT_RIGHT]
    judge = module.judge
    if judge not in known:
        checks = config.stash[_CHECKS].get(judge, [])
        outcomes = [judge.run(check_of(item)) for item in checks]
        wrong = sum(outcome.error is not None for outcome in outcomes)
        mend = sorted({name for outcome in outcomes for name in outcome.mend})
        file = f"{module.folder}/{judge.stage.name}.py"
        known[judge] = ""
        if wrong:
            said = "does not hold" if wrong == 1 else "do not hold"
            known[judge] = (
                f"{file} is not timed: {wrong} of its {len(checks)} checks {said}. "
                f"See `pytest {file}`."
            )
        elif mend:
            known[judge] = f"{file} is not timed: it works with {', '.join(mend)}, to be mended."
    return known[judge]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was not timed, and why; once each."""
    reports = terminalreporter.stats.get("skipped", [])
    for reason in dict.fromkeys(
        str(r.longrepr[2]) for r in reports if isinstance(r.longrepr, tuple)
    ):
        terminalreporter.write_line(reason.removeprefix("Skipped: "))
