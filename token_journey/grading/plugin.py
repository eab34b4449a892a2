"""The pytest plugin: `pytest PATH` grades the implementation that lies at PATH.

A stage file is collected as a module of checks: the file is the
implementation, `check_<stage>.py` in the course's checks holds the tests, and
the fixture `stage` hands one to the other.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from traceback import StackSummary, extract_tb
from typing import Any

import pytest

from token_journey.checking.case import NotOnThisPack, cases, only_in_print
from token_journey.course.implementation import CannotLoad, frames_in
from token_journey.course.lessons import promise_of
from token_journey.course.signatures import parameters
from token_journey.course.under_test import Check, Stages, StageUnderTest, noted
from token_journey.foreign import name_of_class, shown
from token_journey.glyphs import write_plainly
from token_journey.grading import torch_start as quick_torch  # noqa: F401  (before whatever else imports torch)
from token_journey.grading.chained import ChainedItem
from token_journey.grading.collect import (
    SESSION,
    StageModule,
    session_of,
)
from token_journey.grading.diagnosis.answers import Question
from token_journey.grading.diagnosis.doctor import Diagnosis
from token_journey.grading.failure import (
    Failure,
    describe_failure,
    describe_fault_of_the_course,
    describe_unusable,
)
from token_journey.grading.item import (
    check_of,
    is_held_back,
    not_on_this_pack,
    pack_of,
    questions_of,
)
from token_journey.grading.judge import SECONDS_A_CHECK, Judge, KeptState, NotRun, Outcome
from token_journey.grading.terminal import cut
from token_journey.grading.verdict import Kind, Verdict
from token_journey.guards.time_limit import lift_limits
from token_journey.words.diagnosis import lies_in

# Styles of `--tb` that show frames, and how many characters of them.
_TELLING_FRAMES, _FRAMES = ("short", "long", "native"), 8_000

OUTCOME = pytest.StashKey[Outcome]()
# Who wants to hear whether a check holds before it is known why, if anybody does.
OUTCOME_KNOWN = pytest.StashKey[Callable[[pytest.Function, bool], object]]()
FAILURE = pytest.StashKey[Failure]()


def pytest_configure(config: pytest.Config) -> None:
    for line in (
        "captured(**names): run wherever a pack holds all these tensors",
        "seconds(n): let the check run for n seconds",
    ):
        config.addinivalue_line("markers", line)
    if config.pluginmanager.has_plugin("unraisableexception"):  # which puts back what was before
        sys.unraisablehook = partial(_ignored, config, sys.unraisablehook)
    if sys.__stdout__ is not None:  # pytest writes there; sys.stdout is captured by now
        write_plainly(sys.__stdout__)
    lift_limits(any(config.getoption(name) for name in ("no_time_limit", "usepdb", "trace")))


def pytest_unconfigure(config: pytest.Config) -> None:
    lift_limits(False)
    if SESSION in config.stash:
        config.stash[SESSION].close()


def _ignored(
    config: pytest.Config,
    before: Callable[[sys.UnraisableHookArgs], object],
    raised: sys.UnraisableHookArgs,
) -> None:
    """What `__del__` raises ends nothing, and is a line: pytest would show a traceback of it."""
    frames = StackSummary() if raised.exc_traceback is None else extract_tb(raised.exc_traceback)
    place = frames[-1] if frames else None
    if place is None or not session_of(config).grades(Path(place.filename).parent):
        before(raised)
    elif sys.stderr is not None:
        kind = name_of_class(raised.exc_value)
        sys.stderr.write(f"{Path(place.filename).name}:{place.lineno}: Python ignores {kind}.\n")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marks = list(metafunc.definition.iter_markers("captured"))
    if not marks:
        return
    session = session_of(metafunc.config)
    found = cases(session.packs, marks)
    if not found:  # an empty list would be skipped, and a skip looks like a full mark
        raise pytest.UsageError(
            f"No pack in {session.course.packs} has what {metafunc.function.__name__} needs: "
            "restore the packs with `git checkout packs`."
        )
    given: dict[str, Any] = dict(found)
    for pack in session.asked_for if not only_in_print(marks) else ():
        if not any(here[0].pack is pack for here in found.values()):
            given[f"{pack.name}-not-here"] = NotOnThisPack(pack)
    metafunc.parametrize("case", list(given.values()), ids=list(given))


# -- judging ------------------------------------------------------------------


@pytest.fixture
def stage(request: pytest.FixtureRequest) -> StageUnderTest:
    """The implementation that lies at PATH."""
    under_test: StageUnderTest = request.node.getparent(StageModule).judge.under_test
    return under_test


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> object | None:
    module = pyfuncitem.getparent(StageModule)
    if module is None:
        return None
    if absent := not_on_this_pack(pyfuncitem):
        pytest.skip(str(absent))
    check = check_of(pyfuncitem)
    limit = pyfuncitem.get_closest_marker("seconds")
    outcome = module.judge.run(check, limit.args[0] if limit else SECONDS_A_CHECK)
    pyfuncitem.stash[OUTCOME] = outcome
    if OUTCOME_KNOWN in pyfuncitem.config.stash:
        pyfuncitem.config.stash[OUTCOME_KNOWN](pyfuncitem, outcome.error is None)
    if outcome.error is not None:
        with module.judge.apart():
            failure = _failure(pyfuncitem, module.judge, check, outcome)
        pyfuncitem.stash[FAILURE] = failure
        pytest.fail(_with_frames(failure.text, pyfuncitem, module.judge, outcome), pytrace=False)
    return True


def _with_frames(text: str, item: pytest.Function, judge: Judge, outcome: Outcome) -> str:
    """What is said of a failure, and with `--tb=short` or longer how their code came there."""
    if item.config.getoption("tbstyle") not in _TELLING_FRAMES or outcome.error is None:
        return text
    frames = judge.folder.frames(_raised_by_them(outcome.error))
    return f"{text}\n{shown(''.join(StackSummary.from_list(frames).format()), _FRAMES)}".rstrip()


def _raised_by_them(error: BaseException) -> BaseException:
    return error.__cause__ or error if isinstance(error, CannotLoad) else error


def _for_debuggers(item: pytest.Item, judge: Judge) -> pytest.ExceptionInfo[Any] | None:
    """What `--pdb` opens: the learner's frames, or the check's where theirs returned."""
    outcome = item.stash.get(OUTCOME, None)
    if outcome is None or outcome.error is None:
        return None
    error = _raised_by_them(outcome.error)
    folders = judge.folder.folder, session_of(item.config).course.checks
    frames = next(filter(None, (frames_in(f, error.__traceback__) for f in folders)), None)
    if frames is None:
        return None
    return pytest.ExceptionInfo.from_exception(error.with_traceback(frames))


def _has_a_cause(judge: Judge, error: BaseException) -> bool:
    """Whether a mistake may lie behind it: not behind a stub or a file that can't be loaded."""
    told = isinstance(error, CannotLoad | NotRun | KeptState) or not isinstance(error, Exception)
    return not told and not judge.is_stub(error)


def _failure(item: pytest.Function, judge: Judge, check: Check, outcome: Outcome) -> Failure:
    """What to say of a check that does not hold; the kit's own errors pass through."""
    assert outcome.error is not None
    diagnosis, promise = Diagnosis(), promise_of(item.obj)
    if _has_a_cause(judge, outcome.error):
        if judge.reference is not None and not judge.is_right(check):
            return describe_fault_of_the_course(promise, pack_of(item))
        diagnosis = _diagnosis(item, judge, check, outcome.implementation)
    failure = describe_failure(judge, outcome.error, promise, diagnosis, is_held_back(item))
    if failure is None and judge.is_right(check):
        frames = frames_in(session_of(item.config).course.checks, outcome.error.__traceback__)
        failure = describe_unusable(judge, outcome.error, promise, diagnosis, extract_tb(frames))
    if failure is None:
        raise outcome.error
    return failure


def _diagnosis(
    item: pytest.Function, judge: Judge, check: Check, implementation: Stages
) -> Diagnosis:
    """What is known of the cause: nothing, where their code lets nobody look at it."""
    question = Question(item.name, item.originalname, check)
    module = item.getparent(StageModule)
    assert module is not None
    try:
        session = session_of(item.config)
        return session.diagnosis(judge, question, implementation, partial(questions_of, module))
    except BaseException as error:
        if not judge.folder.frames(error):
            raise
        return Diagnosis()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if isinstance(item, ChainedItem) and call.when == "call":
        report.__dict__["token_journey_walk"] = item.story
    module = item.getparent(StageModule)
    if module is None or (call.when != "call" and report.passed):
        return report
    absent = not_on_this_pack(item) if isinstance(item, pytest.Function) else None
    if report.skipped and not absent:  # nobody's checks skip; a skip would look like a full mark
        report.outcome, report.longrepr = (
            "failed",
            "Skipped, and a check that was not run is not passed.",
        )
    if call.excinfo and report.failed:
        call.excinfo = _for_debuggers(item, module.judge)
    report.__dict__["token_journey"] = _verdict(item, module, report, absent).to_json()
    report.__dict__["token_journey_left"] = sorted(module.judge.left)
    report.sections = [(title, cut(text)) for title, text in report.sections]
    if isinstance(item, pytest.Function) and is_held_back(item):
        report.sections = []  # a stage could print what it was handed
    return report


def _verdict(
    item: pytest.Item,
    module: StageModule,
    report: pytest.TestReport,
    absent: NotOnThisPack | None,
) -> Verdict:
    """What one check said, as data: the report crosses to another process under xdist."""
    failure = item.stash.get(FAILURE, None)
    outcome = item.stash.get(OUTCOME, None)
    return Verdict(
        path=module.folder,
        stage=module.judge.stage.name,
        check=item.name,
        kind=_kind(module, report, failure, absent),
        subject=failure.subject if failure else item.name,
        message=str(report.longrepr) if report.failed else "",
        named=failure.named if failure else False,
        broken=failure.broken if failure else False,
        function=_function(module.judge, outcome, failure),
        mend=outcome.mend if outcome else (),
        absent=str(absent) if absent else "",
        seconds=report.duration,
    )


def _function(judge: Judge, outcome: Outcome | None, failure: Failure | None) -> str:
    """Where a check failed: the lesson's function that is wrong, raised, or was called last."""
    if outcome is None or outcome.error is None:
        return ""
    for finding in failure.cause if failure else ():
        if finding.kind == lies_in.__name__:
            return str(finding.values[0])
    named = [frame.name for frame in reversed(judge.folder.frames(outcome.error))]
    known = parameters(judge.reference_file) if judge.reference_file else {}
    asked = noted(outcome.error, "asked", tuple) or ()
    return next((name for name in named if name in known), asked[-1] if asked else "")


def _kind(
    module: StageModule,
    report: pytest.TestReport,
    failure: Failure | None,
    absent: NotOnThisPack | None,
) -> Kind:
    if absent:
        return "absent"
    if not report.failed:
        return "passed"
    if module.judge.folder.missing(module.judge.stage.name):
        return "missing"
    return "todo" if failure and failure.to_do else "failed"
