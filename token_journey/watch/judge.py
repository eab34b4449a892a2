"""The warm judge of a desk: holds torch, course and packs, and judges each stage in a child.

    python -m token_journey.watch.judge FOLDER

Each line on standard input asks for one run, and ends the one before it:

    {"run": 1, "saved": ["s03_rms_norm"], "also": [], "first": {"s03_rms_norm": ["test_x"]}}

What is said of it are lines on standard output, each with the number of its run: `judging`,
the stages to come, in order; of each check `check`, then `holds` as soon as that is known, then
its `verdict` and what it `printed`; `ended`, the end of a stage; and `done`. Before the first of
all `ready` is said. It ends with its standard input.
"""

from __future__ import annotations

import gc
import json
import os
import pdb
import re
import select
import signal
import sys
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch

from token_journey.course.course import Course, find_course
from token_journey.course.implementation import Implementation
from token_journey.course.lessons import promise_of
from token_journey.course.stage import Stage
from token_journey.errors import UserError
from token_journey.grading.plugin import OUTCOME_KNOWN
from token_journey.grading.run import Grader
from token_journey.grading.terminal import cut
from token_journey.guards.time_limit import slowness

Say = Callable[..., object]
FORKS = hasattr(os, "fork")


class Breakpoint(BaseException):
    """A learner's `breakpoint()`, where nobody can type; not an Exception, so it comes through."""


class _Checks:
    """Orders the checks of one stage, and says of each what is known as soon as it is."""

    def __init__(self, say: Say, file: Path, first: Collection[str]):
        self._say = say
        self._file = file
        self._first = first

    @pytest.hookimpl(trylast=True)  # after pytest has put its own debugger there
    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[OUTCOME_KNOWN] = self._known
        sys.breakpointhook = pdb.set_trace = self._no_breakpoint

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: item.name not in self._first)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._say(check=nodeid.rpartition("::")[2])

    def _known(self, item: pytest.Function, holds: bool) -> None:
        self._say(check=item.name, holds=holds, promise=promise_of(item.obj))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        about = getattr(report, "token_journey", None)
        if about is not None:
            self._say(verdict=about, printed=cut(report.capstdout + report.capstderr))

    def _no_breakpoint(self, *_: object, **__: object) -> NoReturn:
        near = os.path.relpath(self._file)
        raise Breakpoint(
            "under watch nobody can type to a debugger. In another window, run "
            f"`pytest {near if not near.startswith('..') else self._file} -s -x`."
        )


class Judge:
    """Judges the stages of one folder, by packs that stay open."""

    def __init__(self, folder: Path, course: Course):
        self._folder = folder.resolve()
        self._course = course
        self._grader = Grader()

    def warm(self) -> None:
        """Load all that a child needs; no check is run, for torch must not start threads here."""
        self._grader.grade(self._course.reference, options=["--collect-only"])
        for pack in self._grader.packs:
            pack.load()
        reference = Implementation(self._course.reference)
        for stage in self._course.stages():
            reference.module(stage.name)
        reference.unload()
        slowness()  # measured once for all
        gc.collect()
        gc.freeze()  # so that a child's collector leaves what it shares alone

    def order(self, saved: Collection[str], also: Collection[str]) -> list[str]:
        """The stages to judge: those saved, those that use what was saved, and others."""
        names = [stage.name for stage in self._course.stages()]
        users = [name for name in names if any(self._uses(name, s) for s in saved)]
        wanted = [n for n in names if n in saved] + users + [n for n in names if n in also]
        return list(dict.fromkeys(wanted))

    def _uses(self, name: str, saved: str) -> bool:
        """Whether a stage imports what was saved: an earlier stage, or a file of their own."""
        files = Implementation(self._folder)
        try:
            if Stage.of_file(Path(f"{saved}.py")):
                return saved in files.siblings(name)
            nearby = [name, *files.siblings(name)]
            return any(_names(self._folder / f"{each}.py", saved) for each in nearby)
        finally:
            files.unload()

    def judge(self, name: str, first: Collection[str], say: Say) -> None:
        """Judge one stage in this process."""
        file = self._folder / f"{name}.py"
        why = None
        try:
            self._grader.grade(file, plugins=[_Checks(say, file, first)])
        except UserError as error:
            why = str(error)
        say(ended=name, why=why)


def _names(file: Path, word: str) -> bool:
    with suppress(OSError):
        return re.search(rf"\b{re.escape(word)}\b", file.read_text("utf-8", "replace")) is not None
    return False


# -- in children ----------------------------------------------------------------


class Children:
    """A child for each stage; a new run ends the last one's."""

    def __init__(self, judge: Judge, tell: Callable[[str], object]):
        self._judge = judge
        self._tell = tell
        self._waiting: list[str] = []
        self._asked: dict[str, Any] = {}
        self._child = 0

    def begin(self, asked: dict[str, Any]) -> None:
        self._end()
        self._asked = asked
        self._waiting = _announced(self._judge, asked, self._say)
        self._next()

    def look(self) -> None:
        """Go on where a child has ended."""
        if not self._child:
            return
        ended, status = os.waitpid(self._child, os.WNOHANG)
        if ended:
            self._child = 0
            if code := os.waitstatus_to_exitcode(status):
                self._tell("\n")  # it may have ended within a line
                self._say(ended=self._stage, why=_how(code))
            self._next()

    def _next(self) -> None:
        if not self._waiting:
            self._say(done=True)
            return
        self._stage = self._waiting.pop(0)
        self._child = os.fork()
        if not self._child:
            self._be_child()

    def _be_child(self) -> NoReturn:
        end_at_once = os._exit
        code = 1
        try:
            _limit()
            first = self._asked.get("first", {}).get(self._stage, ())
            self._judge.judge(self._stage, first, self._say)
            code = 0
        finally:
            end_at_once(code)

    def _end(self) -> None:
        if self._child:
            with suppress(ProcessLookupError):  # it and what it started
                os.killpg(self._child, signal.SIGKILL)
            with suppress(ProcessLookupError):  # before it had a group of its own
                os.kill(self._child, signal.SIGKILL)
            os.waitpid(self._child, 0)
            self._child = 0
            self._tell("\n")
        self._waiting = []

    close = _end

    def _say(self, **said: Any) -> None:
        self._tell(json.dumps({"run": self._asked["run"], **said}) + "\n")


def _limit() -> None:
    """A group of its own, and bounds that keep a greedy stage from the rest of the machine."""
    os.setpgid(0, 0)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.platform == "linux":
        from token_journey.player.jail import die_with_parent, limit_resources

        die_with_parent()
        limit_resources()


def _how(code: int) -> str:
    if code < 0:
        return f"It ended Python itself, with {signal.Signals(-code).name}."
    return "It ended Python itself."


def serve_in_children(judge: Judge, tell: Callable[[str], object]) -> None:
    """Answer until standard input ends."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    children = Children(judge, tell)
    rest = b""
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 1024)
        if 0 in ready:
            if not (given := os.read(0, 1 << 16)):
                break
            *lines, rest = (rest + given).split(b"\n")
            for line in lines[-1:]:  # what was asked before it is asked no more
                children.begin(json.loads(line))
        children.look()
    children.close()


# -- where nothing can be forked ---------------------------------------------------


def serve_here(judge: Judge, tell: Callable[[str], object], lines: Iterable[str]) -> None:
    """Answer in this process, which unloads what it loaded."""
    for line in lines:
        asked = json.loads(line)

        def say(number: int = asked["run"], **said: Any) -> None:
            tell(json.dumps({"run": number, **said}) + "\n")

        for name in _announced(judge, asked, say):
            judge.judge(name, asked.get("first", {}).get(name, ()), say)
        say(done=True)


def _announced(judge: Judge, asked: dict[str, Any], say: Say) -> list[str]:
    order = judge.order(asked["saved"], asked["also"])
    say(judging=order)
    return order


def main(folder: Path, forks: bool = FORKS) -> None:
    """Serve standard input; what a run prints goes to standard error."""
    out = os.dup(1)
    os.dup2(2, 1)
    tell = partial(_write, out)
    torch.set_num_threads(1)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # a verdict needs none of them
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the desk's business
    try:
        judge = Judge(folder, find_course())
        judge.warm()
    except UserError as error:
        tell(json.dumps({"error": str(error)}) + "\n")
        return
    tell(json.dumps({"ready": True}) + "\n")
    if forks:
        serve_in_children(judge, tell)
    else:
        serve_here(judge, tell, sys.stdin)


def _write(out: int, line: str) -> None:
    """All of it at once, past every buffer."""
    given = line.encode()
    while given:
        given = given[os.write(out, given) :]


if __name__ == "__main__":
    main(Path(sys.argv[1]), FORKS and sys.argv[2:] != ["--here"])
