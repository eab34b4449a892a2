"""A time limit that a loop in a learner's code can't outlive.

Seconds are those of computing, on an ordinary machine: what else runs beside does not
count, and a slow machine gets more of them. Behind them stands a generous limit by the
clock on the wall, for what does not compute at all: it sleeps, or waits for input or a lock.
"""

from __future__ import annotations

import ctypes
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from types import FrameType
from typing import Any

# What a block may take by the clock on the wall: so many seconds, and so many times as long
# as it may compute. Beside twenty others a short limit must still be one of computing.
_WALL, _TIMES = 20.0, 4
# What computes less of the time than this waits; beside many others it still gets more.
_WAITS = 0.01
_AGAIN = 0.5  # seconds until the next try, should a bare `except:` swallow one
_SOONEST = 1e-4  # nobody needs to look again before
# CPU seconds of `_some_work` on an ordinary machine; none is taken for slower than _SLOWEST.
_ORDINARY, _SLOWEST = 3e-4, 10.0
_DEBUGGERS = {"bdb", "pdb", "pydevd"}
_COUNTING = ("coverage", __name__)  # who traces lines, too, and is no person

_lifted = False


class OutOfTime(BaseException):
    """Not an Exception, so that `except Exception` in a learner's loop lets it through."""


class WaitedTooLong(OutOfTime):
    """It hardly computed, and did not end."""


def lift_limits(lifted: bool = True) -> None:
    """Let no limit end anything, or all of them again."""
    global _lifted
    _lifted = lifted


def time_limit(seconds: float) -> AbstractContextManager[None]:
    """Raise OutOfTime in the block once it has computed for `seconds`.

    An alarm signal where there is one and this is the main thread; elsewhere
    (Windows) an exception set from a second thread, which stops Python code
    but waits for a call into C to return.
    """
    main = threading.current_thread() is threading.main_thread()
    return _Alarm(seconds) if main and hasattr(signal, "setitimer") else _Watched(seconds)


class Patience:
    """So many seconds of computing from now on, and the wait behind them, at most `wall`."""

    def __init__(
        self,
        seconds: float,
        clock: Callable[[], float] = time.thread_time,
        wall: float = math.inf,
    ):
        self._seconds = seconds
        self._wall = min(_WALL + _TIMES * seconds, wall)
        self._clock = clock
        self.renew()

    def renew(self) -> None:
        self._began = self._clock(), time.monotonic()

    @property
    def left(self) -> float:
        """Seconds that may be computed at least; none are left where it is 0 or less."""
        computed, passed = self._spent
        return min(self._seconds - computed, self._wall - passed)

    @property
    def waited(self) -> bool:
        computed, passed = self._spent
        return computed < _WAITS * passed

    @property
    def _spent(self) -> tuple[float, float]:
        computing, wall = self._began
        now = self._clock() - computing, time.monotonic() - wall
        return now[0] / slowness(), now[1] / slowness()


@cache
def slowness() -> float:
    """How many times as long as an ordinary machine this one computes, at least 1."""
    quickest = min(_some_work() for _ in range(5))
    return min(max(quickest / _ORDINARY, 1.0), _SLOWEST)


def _some_work() -> float:
    """The seconds that a little Python takes."""
    clock = time.perf_counter if os.name == "nt" else time.thread_time  # Windows counts in 16 ms
    began, total, kept = clock(), 0, {}
    for i in range(5000):
        total += i * i % 7
        kept[i & 63] = total
    return clock() - began


class _Limit:
    """What both ways share: whether it is over, and when to look again."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.thread_time):
        self._patience = Patience(seconds, clock)

    def _look(self, frame: FrameType | None) -> type[OutOfTime] | None:
        """What to raise in a block that is at `frame`, if its time is over."""
        if _lifted or _is_debugged(frame):
            self._patience.renew()
        if self._patience.left > 0:
            return None
        return WaitedTooLong if self._patience.waited else OutOfTime

    def _next(self) -> float:
        """Seconds until the next look, by the clock on the wall: nobody computes faster."""
        left = self._patience.left * slowness()
        return max(left, _SOONEST) if left > 0 else _AGAIN


class _Alarm(_Limit):
    """By a signal. What swallows one exception meets the next two together.

    Else `while True: try: work() except: pass` would run on, for signals come while it works:
    the second is raised in what stands below `except`.
    """

    def __enter__(self) -> None:
        self._over = self._swallowed = False
        self._home = sys._getframe(1)
        self._trace = sys.gettrace()
        self._before = signal.signal(signal.SIGALRM, self._ring)
        self._outer, _ = signal.setitimer(signal.ITIMER_REAL, self._next())

    def __exit__(self, *_: object) -> None:
        self._over = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)
        signal.setitimer(signal.ITIMER_REAL, self._outer)  # a limit around this one goes on
        if self._swallowed:
            sys.settrace(self._trace)
        del self._home

    def _ring(self, _: int, frame: FrameType | None) -> None:
        if self._over or (frame and frame.f_code is _Alarm.__exit__.__code__):
            return
        due = self._look(frame)
        signal.setitimer(signal.ITIMER_REAL, self._next())
        if due is None:
            return
        if self._swallowed:
            self._raise_on_the_next_line(due, frame)
        self._swallowed = True
        raise due

    def _raise_on_the_next_line(self, due: type[OutOfTime], frame: FrameType | None) -> None:
        def trace(frame: FrameType, event: str, _: object) -> Any:
            if event == "line" and frame.f_code is not _Alarm.__exit__.__code__:
                raise due  # after which Python traces no more
            return trace

        while frame is not None and frame is not self._home:
            frame.f_trace = trace
            frame = frame.f_back
        sys.settrace(trace)


class _Watched(_Limit):
    def __init__(self, seconds: float):
        self._watched = threading.get_ident()
        super().__init__(seconds, _cpu_clock_of(self._watched))

    def __enter__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        _set_exception(self._watched, None)

    def _watch(self) -> None:
        while not self._over.wait(self._next()):
            due = self._look(sys._current_frames().get(self._watched))
            if due is not None:
                _set_exception(self._watched, due)


def _set_exception(thread: int, error: type[OutOfTime] | None) -> None:
    given = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), given)


def _cpu_clock_of(thread: int) -> Callable[[], float]:
    """The CPU time of a thread for others to read, or of all threads where there is none."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return time.process_time
    clock = time.pthread_getcpuclockid(thread)
    return lambda: time.clock_gettime(clock)


def _is_debugged(frame: FrameType | None) -> bool:
    """Whether a person is at a breakpoint, or a debugger follows each line."""
    while frame is not None:
        if frame.f_globals.get("__name__") in _DEBUGGERS:
            return True
        frame = frame.f_back
    monitoring: Any = getattr(sys, "monitoring", None)
    if monitoring and monitoring.get_tool(monitoring.DEBUGGER_ID) is not None:
        return True
    trace = sys.gettrace()
    module = getattr(trace, "__module__", None) or type(trace).__module__
    return trace is not None and not module.startswith(_COUNTING)
