"""A limit counts what a block computes, ends every loop, and leaves who debugs in peace."""

import contextlib
import sys
import threading
import time

import pytest

from token_journey.guards import time_limit as limits
from token_journey.guards.time_limit import (
    OutOfTime,
    Patience,
    WaitedTooLong,
    lift_limits,
    time_limit,
)

SHORT = 0.05


@pytest.fixture(autouse=True)
def who_waits_is_soon_stopped(monkeypatch):
    monkeypatch.setattr(limits, "_WALL", 0.3)


def compute():
    while True:
        pass


def swallow():
    while True:
        try:
            compute()
        except:  # noqa: E722
            continue


def swallow_in_suppress():
    while True:
        with contextlib.suppress(BaseException):
            compute()


def raised_by(block, seconds=SHORT):
    """What a limit raised, in whichever thread."""
    try:
        with time_limit(seconds):
            block()
    except BaseException as error:
        return type(error)
    return None


def in_a_thread(block):
    found = []
    thread = threading.Thread(target=lambda: found.append(raised_by(block)), daemon=True)
    thread.start()
    thread.join(60)
    return found.pop()


@pytest.mark.parametrize("run", [raised_by, in_a_thread])
def test_no_loop_outlives_it(run):
    assert issubclass(run(compute), OutOfTime)


@pytest.mark.parametrize("block", [swallow, swallow_in_suppress])
def test_nor_one_that_catches_all(block):
    """Wherever signals are sent."""
    assert issubclass(raised_by(block), OutOfTime)
    assert sys.gettrace() is None


@pytest.mark.parametrize("run", [raised_by, in_a_thread])
def test_what_only_waits_is_told_from_what_computes(run):
    def nap():
        for _ in range(2_000):
            time.sleep(0.01)

    assert run(nap) is WaitedTooLong


def test_a_short_wait_is_allowed():
    assert raised_by(lambda: time.sleep(2 * SHORT)) is None


def test_the_time_of_others_does_not_count(monkeypatch):
    now = {"computed": 0.0, "passed": 0.0}
    monkeypatch.setattr(limits, "slowness", lambda: 1.0)
    monkeypatch.setattr(time, "monotonic", lambda: now["passed"])
    patience = Patience(10.0, clock=lambda: now["computed"])
    now.update(computed=4.0, passed=30.0)
    assert patience.left == 6.0
    now.update(computed=10.5)
    assert patience.left < 0


def test_what_hardly_computes_waits(monkeypatch):
    now = {"computed": 0.0, "passed": 0.0}
    monkeypatch.setattr(limits, "slowness", lambda: 1.0)
    monkeypatch.setattr(time, "monotonic", lambda: now["passed"])
    patience = Patience(10.0, clock=lambda: now["computed"])
    now.update(computed=3.0, passed=60.0)  # beside nineteen others
    assert patience.left <= 0 and not patience.waited
    now.update(computed=0.1)
    assert patience.left <= 0 and patience.waited


def test_a_slow_machine_gets_more(monkeypatch):
    monkeypatch.setattr(limits, "slowness", lambda: 4.0)
    now = [0.0]
    patience = Patience(1.0, clock=lambda: now[0])
    now[0] = 3.0
    assert patience.left == 0.25


def test_the_measure_of_a_machine_is_quick():
    began = time.process_time()
    assert limits.slowness.__wrapped__() >= 1.0
    assert time.process_time() - began < 0.1 * limits.slowness()


DEBUGGER = """
import time

def at_the_prompt(seconds):
    time.sleep(seconds)
"""


@pytest.mark.parametrize("run", [raised_by, in_a_thread])
def test_who_thinks_at_a_breakpoint_is_not_told_of_a_loop(run):
    pdb = {"__name__": "pdb"}
    exec(DEBUGGER, pdb)
    assert run(lambda: pdb["at_the_prompt"](20 * limits.slowness() * SHORT)) is None


def test_after_a_breakpoint_a_loop_still_ends():
    pdb = {"__name__": "pdb"}
    exec(DEBUGGER, pdb)
    ended = raised_by(lambda: (pdb["at_the_prompt"](2 * SHORT), compute()))
    assert issubclass(ended, OutOfTime)


def test_limits_can_be_lifted():
    lift_limits()
    try:
        assert raised_by(lambda: time.sleep(20 * limits.slowness() * SHORT)) is None
    finally:
        lift_limits(False)
    assert issubclass(raised_by(compute), OutOfTime)
