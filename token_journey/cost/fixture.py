"""The fixture `cost`: one call of one stage at one size, timed as a whole or by its steps."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil, inf
from typing import Any

import pytest
import torch

from token_journey.cost.benches import TOKENS
from token_journey.cost.machine import Gauge, Machine, best
from token_journey.cost.stepclock import StepClock, now_on
from token_journey.cost.workload import Size, Work, check_memory
from token_journey.errors import TooLarge, install
from token_journey.llama.formulas import Cost, cost

# What is sure to take longer than this, at the machine's own best rate, is not timed.
MOST_SECONDS = 60.0
_MOST_ROUNDS = 1000
# Beside a call of so many seconds it matters little what happens the first time only.
_LONG = 2.0


@dataclass(frozen=True)
class Recording:
    """Seconds a step, of several runs of one call, and what the machine could do meanwhile."""

    runs: list[Mapping[str, float]]
    machine: Machine


@dataclass
class Bench:
    """What all benchmarks of a run share: the device, its limits, and what was timed already."""

    device: torch.device
    reading: float = 0.0  # how many seconds it takes to look at the machine
    _gauge: Gauge | None = None
    _machine: Machine | None = None
    _work: Work | None = None
    _baselines: dict[str, Any] = field(default_factory=dict)
    _recorded: tuple[object, Recording] | None = None

    @property
    def machine(self) -> Machine:
        """What the machine could do when it was last looked at."""
        return self._machine or self._read()

    @contextmanager
    def beside(self) -> Iterator[Callable[[], Machine]]:
        """Hands out what the machine could do just before and just after what is done inside."""
        before = self.machine
        yield lambda: best((before, after))
        after = self._read()

    def _read(self) -> Machine:
        self._gauge = self._gauge or Gauge(self.device)
        started = time.perf_counter()
        self._machine = self._gauge.read()
        self.reading = time.perf_counter() - started
        return self._machine

    def work(self, size: Size) -> Work:
        """Random numbers of a size, kept until another size is asked for."""
        if self._work is None or self._work.size != size:
            # Before the next is made: both at once would be too much.
            self._work, self._baselines, self._recorded = None, {}, None
            gc.collect()
            self._work = Work(size, self.device)
        return self._work

    def baseline(self, name: str) -> Any:
        if name not in self._baselines:
            try:
                from token_journey.cost.baselines import Transformers
            except ImportError:
                pytest.skip(f"transformers is not installed: {install('cost')}.")
            self._baselines = {name: Transformers(name.removeprefix("transformers-"))}
        return self._baselines[name]

    def recorded(self, key: object, record: Callable[[], list[Mapping[str, float]]]) -> Recording:
        """The runs of one call, step by step: recorded once for all its steps."""
        if self._recorded is None or self._recorded[0] != key:
            with self.beside() as machine:
                runs = record()
            self._recorded = key, Recording(runs, machine())
        return self._recorded[1]


class RoundTimer:
    """The timer that pytest-benchmark reads before and after each round."""

    def __init__(self) -> None:
        self.read: Callable[[], float] = time.perf_counter

    def __call__(self) -> float:
        return self.read()


class CostOf:
    """The fixture `cost`: one call of one stage at one size, to be timed.

    load:   gives the functions to call
    by:     whose they are, as a person would say it
    whole:  the step that a call is, `part` the one inside it that is timed, if any
    rounds: how long to go on for, in seconds, and how often at least
    share:  gives the seconds that there are for it, if they are limited
    """

    def __init__(
        self,
        bench: Bench,
        benchmark: Any,
        timer: RoundTimer,
        load: Callable[[], Any],
        *,
        by: str,
        whole: str,
        size: Size,
        part: str,
        rounds: tuple[float, int],
        share: Callable[[], float] = lambda: inf,
    ):
        self._bench = bench
        self._benchmark = benchmark
        self._timer = timer
        self._load = load
        self._by = by
        self._whole = whole
        self._part = part
        self._step = part or whole
        self._most_seconds, self._least_rounds = rounds
        self._share = share
        self.work = bench.work(size)

    @property
    def stage(self) -> Any:
        """The functions to call: the stage's at PATH, or transformers'."""
        return self._load()

    def of(
        self,
        call: Callable[..., object],
        setup: Callable[[], tuple[Any, ...]] | None = None,
        *,
        tokens: int | None = None,
        looked_at: int | None = None,
    ) -> None:
        """Time a call; `setup` makes its arguments anew for each round, untimed.

        tokens, looked_at: for the formula, T and S where they are not the size's tokens
        """
        size = self.work.size
        formula = cost(
            self._step, self.work.config, tokens or size.tokens, looked_at or size.tokens
        )
        self._check_size(formula)
        self._load()  # transformers' import is not to be timed
        self._benchmark.name = f"{self._by}: {self._step}"
        self._benchmark.group = (
            f"{self._step}, {size.model}, {size.tokens} tokens, {size.kv_heads} key/value heads"
        )
        with torch.no_grad():
            machine = self._time_part(call) if self._part else self._time(call, setup)
        self._describe(formula, machine)

    def _check_size(self, formula: Cost) -> None:
        size = self.work.size
        what = f"{self._step} at {size.tokens} tokens of {size.model}"
        try:
            check_memory(self.work.bytes_of(self._whole), what)
        except TooLarge as error:
            pytest.skip(str(error))
        least = self._bench.machine.least_seconds(formula)
        if least > MOST_SECONDS:
            pytest.skip(f"{what} would take more than {least:.0f} s a call on this machine.")

    def _time(self, call: Callable[..., object], setup: Any) -> Machine:
        now = now_on(self._bench.device)

        def once() -> Mapping[str, float]:
            arguments = setup() if setup else ()
            started = now()
            call(*arguments)  # what comes of it is not kept: logits can be half a GB
            return {"": now() - started}

        with self._bench.beside() as machine:
            runs = self._repeated(once)
        self._show(runs)
        return machine()

    def _time_part(self, call: Callable[..., object]) -> Machine:
        """What the step's own clock shows."""
        now = now_on(self._bench.device)

        def once() -> Mapping[str, float]:
            with StepClock(self.work.layer, self.work.config.head_dim, now) as clock:
                call()
            return dict(clock.seconds)

        key = (self._by, self._whole, self.work.size)
        recording = self._bench.recorded(key, lambda: self._repeated(once))
        self._show(recording.runs)
        return recording.machine

    def _repeated(self, once: Callable[[], Mapping[str, float]]) -> list[Mapping[str, float]]:
        """One round after the other. The first warms up: of a long call it may be the only one."""
        share, started = self._share(), time.perf_counter()
        if share <= 0 and self.work.size.tokens == TOKENS[-1]:
            pytest.skip(f"There was no time for {TOKENS[-1]} tokens: that part is not timed.")
        first = once()
        whole = time.perf_counter() - started
        fit = rounds_that_fit(share - self._bench.reading, whole)
        rounds = min(self._rounds(sum(first.values())), fit)
        return [once() for _ in range(rounds)] or [first]

    def _show(self, runs: list[Mapping[str, float]]) -> None:
        """Give the benchmark the times of each round."""
        shown = iter([t for run in runs for t in (0.0, run.get(self._part, 0.0))])
        self._timer.read = lambda: next(shown)
        self._benchmark.pedantic(lambda: None, rounds=len(runs))

    def _rounds(self, seconds: float) -> int:
        """As pytest-benchmark chooses them: --benchmark-min-rounds, --benchmark-max-time."""
        return min(
            max(ceil(self._most_seconds / max(seconds, 1e-6)), self._least_rounds), _MOST_ROUNDS
        )

    def _describe(self, formula: Cost, machine: Machine) -> None:
        size = self.work.size
        about: dict[str, Any] = {
            "by": self._by,
            "step": self._step,
            "of": self._whole,
            "model": size.model,
            "tokens": size.tokens,
            "kv_heads": size.kv_heads,
            "parameters": formula.parameters,
            "flops": formula.flops,
            "bytes": formula.bytes,
            "flops_per_byte": formula.intensity,
            "bound": machine.bound(formula),
            "machine": machine.as_json(),
        }
        if self._benchmark.stats is not None:
            seconds = self._benchmark.stats.stats.min
            about["flops_per_second"] = formula.flops / seconds if seconds else None
            about["bytes_per_second"] = formula.bytes / seconds if seconds else None
            about["share_of_limit"] = machine.least_seconds(formula) / seconds if seconds else None
        self._benchmark.extra_info.update(about)


def rounds_that_fit(seconds: float, whole: float) -> int:
    """How many rounds of `whole` seconds there is time for after the first one."""
    if seconds == inf:
        return _MOST_ROUNDS
    return max(int(seconds / max(whole, 1e-6)) - 1, 0 if whole > _LONG else 1)
