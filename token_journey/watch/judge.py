"""The warm judge of a desk: holds torch, course and packs, and judges each stage in a child.

    python -m token_journey.watch.judge FOLDER

Each line on standard input asks for one run, and ends the one before it:

    {"run": 1, "saved": ["s03_rms_norm"], "also": [], "first": {"s03_rms_norm": ["test_x"]}}

What is said of it are lines on standard output, each with the number of its run: `judging`,
the stages to come, in order; of each check `check`, then `holds` as soon as that is known, then
its `verdict` and what it `printed`; `ended`, the end of a stage, and `why`, where it was not judged
to the end; and `done`. Before the first of all `ready` is said, or `error` and no more.
"""

from __future__ import annotations

import gc
import json
import os
import pdb
import select
import signal
import sys
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch

from token_journey.course.course import find_course
from token_journey.course.implementation import Implementation
from token_journey.course.lessons import promise_of
from token_journey.course.stage import Stage, not_there
from token_journey.errors import UserError
from token_journey.grading import failure
from token_journey.grading.plugin import OUTCOME_KNOWN
from token_journey.grading.run import Grader
from token_journey.grading.terminal import cut
from token_journey.guards.time_limit import slowness

Say = Callable[..., object]


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
        raise Breakpoint(
            "here nobody can type to a debugger. In another window, type "
            f"`pytest {self._file} -s -x`."
        )


class DeskJudge:
    """Judges the stages of one folder, by packs that stay open."""

    def __init__(self, folder: Path):
        """Load all that a child needs. No check is run, for torch may start threads then."""
        self._folder = folder
        self._course = find_course()
        self._grader = Grader()
        for pack in self._grader.packs:
            pack.load()
        self._grader.grade(self._course.reference, options=["--collect-only"])
        reference = Implementation(self._course.reference)
        for stage in self._course.stages():
            reference.module(stage.name)
        reference.unload()
        slowness()  # measured once for all
        gc.collect()
        gc.freeze()  # so that a child's collector leaves what it shares alone

    def order(self, saved: Collection[str], also: Collection[str]) -> list[str]:
        """The stages to judge: those saved, those that import them, and others.

        After a file that is no stage, all are judged.
        """
        names = [stage.name for stage in self._course.stages()]
        files = Implementation(self._folder)
        users = [name for name in names if {*saved} & {*files.siblings(name)}]
        files.unload()
        rest = names if {*saved} - {*names} else [name for name in names if name in also]
        return list(dict.fromkeys([n for n in (*saved, *users, *rest) if n in names]))

    def judge(self, name: str, first: Collection[str], say: Say) -> None:
        """Judge one stage in this process."""
        file = self._folder / f"{name}.py"
        why = not_there(self._folder.resolve(), Stage(name))
        if why is None:
            try:
                self._grader.grade(file, plugins=[_Checks(say, file, first)])
            except UserError as error:
                why = str(error)
        say(ended=name, why=why)


class Request:
    """One run: its stages in order, each in a child of its own."""

    def __init__(self, judge: DeskJudge, asked: dict[str, Any], tell: Callable[[str], object]):
        self._judge = judge
        self._tell = tell
        self._number = asked["run"]
        self._first: dict[str, list[str]] = asked.get("first", {})
        self._child = 0
        self._ended = -1  # what can be read from, once there is no child any more
        self._waiting = judge.order(asked["saved"], asked["also"])
        self._say(judging=self._waiting)

    def here(self) -> None:
        """Judge all of it in this process."""
        for name in self._waiting:
            self._judge.judge(name, self._first.get(name, ()), self._say)
        self._say(done=True)

    def next(self) -> list[int]:
        """Begin the next stage; what can be read from once it has ended, if one was left."""
        if not self._waiting:
            self._say(done=True)
            return []
        self._ended, alive = os.pipe()
        self._child = os.fork()
        if not self._child:
            self._be_child()
        os.close(alive)
        return [self._ended]

    def _be_child(self) -> NoReturn:
        end_at_once, code = os._exit, 1
        try:
            _limit()
            name = self._waiting[0]
            self._judge.judge(name, self._first.get(name, ()), self._say)
            code = 0
        finally:
            end_at_once(code)

    def end(self, kill: bool = True) -> None:
        """Take leave of the child; end it, and all that it started, if it has not ended."""
        if not self._child:
            return
        if kill:
            for end in (os.killpg, os.kill):  # the second, before it had a group of its own
                with suppress(ProcessLookupError):
                    end(self._child, signal.SIGKILL)
        _, status = os.waitpid(self._child, 0)
        os.close(self._ended)
        self._child, name = 0, self._waiting.pop(0)
        if code := os.waitstatus_to_exitcode(status):
            self._tell("\n")  # it may have ended within a line
            how = f", with {signal.Signals(-code).name}" if code < 0 else ""
            self._say(ended=name, why=f"It ended Python itself{how}.")

    def _say(self, **said: Any) -> None:
        self._tell(json.dumps({"run": self._number, **said}) + "\n")


def _limit() -> None:
    """A group of its own, and bounds that keep a greedy stage from the rest of the machine."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.platform == "linux":
        from token_journey.player.jail import die_with_parent, limit_resources

        die_with_parent()
        limit_resources()


def serve(judge: DeskJudge, tell: Callable[[str], object]) -> None:
    """Answer until standard input ends. A new question ends what the last one began."""
    run: Request | None = None
    ended: list[int] = []
    rest = b""
    while True:
        ready, _, _ = select.select([0, *ended], [], [])
        given = os.read(0, 1 << 16) if 0 in ready else None
        if given == b"":
            break
        *lines, rest = (rest + (given or b"")).split(b"\n")
        if given is not None and not lines:
            continue
        if run is not None:
            run.end(kill=bool(lines))
        if lines:  # what was asked before the last one is asked no more
            run = Request(judge, json.loads(lines[-1]), tell)
        ended = run.next() if run is not None else []
    if run is not None:
        run.end()


def main(folder: Path, forks: bool) -> None:
    """Serve standard input; what a run prints goes to standard error."""
    out = os.dup(1)
    os.dup2(2, 1)
    tell = partial(_write, out)
    torch.set_num_threads(1)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # a verdict needs none of them
    failure.COLUMNS = sys.maxsize  # who draws the screen breaks the lines
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the desk's business
    try:
        judge = DeskJudge(folder)
    except UserError as error:
        tell(json.dumps({"error": str(error)}) + "\n")
        return
    tell(json.dumps({"ready": True}) + "\n")
    if forks:
        serve(judge, tell)
    else:
        for line in sys.stdin:
            Request(judge, json.loads(line), tell).here()


def _write(out: int, line: str) -> None:
    """All of it at once, past every buffer."""
    given = line.encode()
    while given:
        given = given[os.write(out, given) :]


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] != ["--here"])
