"""The pytest plugin: `pytest PATH` grades the implementation that lies at PATH.

A stage file is collected as a module of checks: the file is the
implementation, `check_<stage>.py` in the course's checks holds the tests, and
the fixture `stage` hands one to the other.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from token_journey import quick_torch  # noqa: F401  (before whatever else imports torch)
from token_journey.checking import NotOnThisPack, StageUnderTest, cases, only_in_print
from token_journey.compare import holding_back
from token_journey.course import CourseError, find_course
from token_journey.diagnosis import Check, Diagnosis
from token_journey.failure import Failure, describe_failure
from token_journey.grade import Verdict, grade
from token_journey.implementation import CannotLoad, Stage
from token_journey.judging import SECONDS_A_CHECK, Judge, KeptState, NotRun, Outcome
from token_journey.pack import Pack, PackError, find_packs
from token_journey.scoreboard import write_scoreboard
from token_journey.session import Session
from token_journey.walking import ChainedFolder, ChainedWalk
from token_journey.whole import fetched, with_whole_model

SESSION = pytest.StashKey[Session]()
OUTCOME = pytest.StashKey[Outcome]()
FAILURE = pytest.StashKey[Failure]()

# Failures that are told in full; -vv tells all.
STORIES_A_STAGE = 3
_PRINTED_LINES, _PRINTED_CHARACTERS = 20, 1_500


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("token-journey")
    group.addoption(
        "--pack",
        action="append",
        default=[],
        metavar="DIR",
        help="judge by this pack too; may be given more than once",
    )
    group.addoption(
        "--whole-model",
        action="store_true",
        help="judge by all 30 layers of SmolLM2 too, once `token-journey fetch` has fetched them",
    )
    group.addoption(
        "--chained",
        action="store_true",
        help="instead of checks: walk through all stages, each on what the last one produced",
    )

    group.addoption(
        "--device",
        default="cpu",
        metavar="DEVICE",
        help="where --benchmark-only times: cpu (default) or cuda",
    )


def pytest_configure(config: pytest.Config) -> None:
    if timing(config):
        from token_journey.cost import plugin

        config.pluginmanager.register(plugin)
    config.pluginmanager.register(Telling(verbose=config.get_verbosity() >= 2))
    for line in (
        "captured(**names): run wherever a pack holds all these tensors",
        "seconds(n): let the check run for n seconds",
    ):
        config.addinivalue_line("markers", line)
    if config.getoption("pack") or config.getoption("whole_model"):  # said before all else
        session_of(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    if SESSION in config.stash:
        config.stash[SESSION].close()


def timing(config: pytest.Config) -> bool:
    """Whether this run times the stages and does not grade them."""
    return bool(config.getoption("benchmark_only", False))


def session_of(config: pytest.Config) -> Session:
    """Made when the first stage file is met, so that other test runs cost nothing."""
    if SESSION not in config.stash:
        try:
            course = find_course()
            packs = [Pack(folder) for folder in find_packs(course.packs)]
            asked_for = [Pack(Path(folder)) for folder in config.getoption("pack")]
            packs += asked_for
            # A walk through a model that says something is worth its three seconds.
            if config.getoption("whole_model") or (config.getoption("chained") and fetched()):
                packs = with_whole_model(packs)
            config.stash[SESSION] = Session(course, packs, asked_for, one_thread=not timing(config))
        except (CourseError, PackError) as error:
            raise pytest.UsageError(str(error)) from None
    return config.stash[SESSION]


# -- collecting ---------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    for path in early_config.known_args_namespace.file_or_dir:
        place = early_config.invocation_params.dir / str(path).partition("::")[0]
        if refused := _refused_conftest(place if place.is_dir() else place.parent):
            raise pytest.UsageError(refused)
    settings = early_config.inipath
    if settings and _holds_stages(settings.parent) and _is_pytest_s(settings):
        raise pytest.UsageError(f"{settings} would steer the grader: remove it.")


@pytest.hookimpl(tryfirst=True)
def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A folder of stages is no package of tests, whose `__init__.py` pytest would run."""
    if refused := _refused_conftest(path):
        raise pytest.Collector.CollectError(refused)
    if (path / "__init__.py").is_file() and _holds_stages(path):
        folder: pytest.Dir = pytest.Dir.from_parent(parent, path=path)
        return folder
    return None


def _refused_conftest(folder: Path) -> str | None:
    """What to say before pytest runs it: it could rewrite the verdict on the stages beside it."""
    conftest = folder / "conftest.py"
    if conftest.is_file() and _holds_stages(folder):
        return f"{conftest} would run inside the grader, beside what is graded: remove it."
    return None


def _holds_stages(folder: Path) -> bool:
    return any(Stage.of_file(file) for file in folder.glob("*.py"))


def _is_pytest_s(settings: Path) -> bool:
    """Whether a file holds settings of pytest's: a pyproject.toml need not."""
    text = settings.read_text(encoding="utf-8", errors="replace")
    return settings.name != "pyproject.toml" or "[tool.pytest" in text


class StageModule(pytest.Module):
    """A stage file whose tests are its check file's."""

    judge: Judge

    def _getobj(self) -> Any:
        return session_of(self.config).checks.module(f"check_{self.judge.stage.name}")

    @property
    def folder(self) -> str:
        """The graded folder, as a person would type it."""
        near = os.path.relpath(self.path.parent, self.config.invocation_params.dir)
        return str(self.path.parent) if near.startswith("..") else near


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """A stage file is collected once, as ours: pytest would also run one that it is given."""
    collectors = yield
    if Stage.of_file(file_path) is None:
        return collectors
    session = session_of(parent.config)
    stage = session.course.stage_of(file_path)
    if stage is None:
        parent.warn(pytest.PytestCollectionWarning(_unknown_stage(file_path, session)))
        return []
    if parent.config.getoption("chained"):
        return _chained(file_path, parent, session)
    module: StageModule = StageModule.from_parent(parent, path=file_path)
    module.judge = session.judge(stage, file_path.parent)
    if timing(parent.config):
        from token_journey.cost.plugin import cost_modules

        return [module, *cost_modules(module)]
    return [module]


def _chained(file: Path, parent: pytest.Collector, session: Session) -> list[pytest.Collector]:
    """One walk a folder: the first of its stage files, or of those asked for, stands for it."""
    stages = session.course.stages()
    found = [f for s in stages if (f := file.parent / f"{s.name}.py").is_file()]
    asked_for = [f for f in found if parent.session.isinitpath(f)]
    if file not in (asked_for or found[:1]):
        return []
    folder: ChainedFolder = ChainedFolder.from_parent(parent, path=file)
    if session.reference is None:
        raise pytest.UsageError("--chained needs the reference's stages to stand in: solutions/.")
    folder.stages, folder.packs, folder.reference = stages, session.packs, session.reference
    folder.walks = file == (asked_for or found)[0]
    return [folder]


def _unknown_stage(file: Path, session: Session) -> str:
    names = [f"{stage.name}.py" for stage in session.course.stages()]
    near = [name for name in names if name[:3] == file.name[:3]]
    return f"{file.name} is not graded: stages are called {' or '.join(near or names)}."


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
    if outcome.error is not None:
        failure = _failure(pyfuncitem, module.judge, check, outcome)
        pyfuncitem.stash[FAILURE] = failure
        pytest.fail(failure.text, pytrace=False)
    return True


def check_of(item: pytest.Function) -> Check:
    """The check that an item stands for, to be held against any stage."""
    given = dict(item.callspec.params) if hasattr(item, "callspec") else {}
    cases: Any = given.pop("case", [None])

    def check(stage: StageUnderTest) -> None:
        for case in cases:
            with holding_back(case is not None and case.pack.held_back):
                item.obj(stage=stage, **given, **({} if case is None else {"case": case}))

    return check


def not_on_this_pack(item: pytest.Function) -> NotOnThisPack | None:
    """What an item stands for instead of a check, if it does."""
    case = item.callspec.params.get("case") if hasattr(item, "callspec") else None
    return case if isinstance(case, NotOnThisPack) else None


def is_held_back(item: pytest.Function) -> bool:
    """Whether an item's numbers are not to be shown."""
    case = item.callspec.params.get("case") if hasattr(item, "callspec") else None
    return isinstance(case, list) and any(each.pack.held_back for each in case)


def others_and_siblings(failed: pytest.Function) -> tuple[Iterator[Check], Iterator[Check]]:
    """What else tells of a failure: the stage's checks, and the same check on other models.

    Those on no model or a small one come first, and of these the nearest in the file.
    """
    ours = [
        item
        for item in failed.session.items
        if isinstance(item, pytest.Function)
        and item.parent is failed.parent
        and not not_on_this_pack(item)
    ]
    places = {name: place for place, name in enumerate(dict.fromkeys(map(_name, ours)))}

    def order(item: pytest.Function) -> tuple[int, int, int]:
        cases: Any = item.callspec.params.get("case") if hasattr(item, "callspec") else None
        size = cases[0].config.hidden_size if cases else 0
        return size // 100, abs(places[_name(item)] - places[_name(failed)]), size

    ours.sort(key=order)
    first = list({_name(item): item for item in reversed(ours)}.values())[::-1]  # of each check
    others = first + [item for item in ours if item not in first]
    siblings = [item for item in ours if _name(item) == _name(failed) and item is not failed]
    return map(check_of, others), map(check_of, siblings)


def _name(item: pytest.Function) -> str:
    return item.originalname


def _has_a_cause(judge: Judge, error: BaseException) -> bool:
    """Whether a mistake may lie behind it: not behind a stub or a file that can't be loaded."""
    told = isinstance(error, CannotLoad | NotRun | KeptState) or not isinstance(error, Exception)
    return not told and not judge.is_stub(error)


def _failure(item: pytest.Function, judge: Judge, check: Check, outcome: Outcome) -> Failure:
    """What to say of a check that does not hold; the kit's own errors pass through."""
    assert outcome.error is not None
    diagnosis = Diagnosis()
    if _has_a_cause(judge, outcome.error):
        session = session_of(item.config)
        diagnosis = session.diagnosis(
            judge,
            item.originalname,
            check,
            outcome.implementation,
            *others_and_siblings(item),
        )
    promise = (item.obj.__doc__ or item.originalname).partition("\n")[0]
    failure = describe_failure(
        judge, outcome.error, promise, item.originalname, diagnosis, is_held_back(item)
    )
    if failure is None:
        raise outcome.error
    return failure


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if isinstance(item, ChainedWalk) and call.when == "call":
        report.__dict__["token_journey_walk"] = item.story
    module = item.getparent(StageModule)
    if module is None or (call.when != "call" and report.passed):
        return report
    absent = isinstance(item, pytest.Function) and not_on_this_pack(item)
    if report.skipped and not absent:  # nobody's checks skip; a skip would look like a full mark
        report.outcome, report.longrepr = (
            "failed",
            "Skipped, and a check that was not run is not passed.",
        )
    failure = item.stash.get(FAILURE, None)
    kind = "failed" if report.failed else "passed"
    # Plain values only: the report crosses to another process under pytest-xdist.
    about = {
        "path": module.folder,
        "stage": module.judge.stage.name,
        "check": item.name,
        "kind": "absent" if absent else "todo" if failure and failure.to_do else kind,
        "subject": failure.subject if failure else item.name,
        "named": failure.named if failure else False,
        "absent": str(absent) if absent else "",
        "mend": list(item.stash[OUTCOME].mend) if OUTCOME in item.stash else [],
    }
    report.__dict__["token_journey"] = about
    report.sections = [(title, _cut(text)) for title, text in report.sections]
    if isinstance(item, pytest.Function) and is_held_back(item):
        report.sections = []  # a stage could print what it was handed
    return report


def _cut(printed: str) -> str:
    """The start of what a learner's code printed."""
    lines = printed.splitlines()
    kept = "\n".join(lines[:_PRINTED_LINES])[:_PRINTED_CHARACTERS]
    return kept if kept == printed.rstrip("\n") else f"{kept}\n… (cut)\n"


# -- telling ------------------------------------------------------------------


class Telling:
    """Decides which failures are told in full: a few a stage, each story once."""

    def __init__(self, verbose: bool):
        self._verbose = verbose
        self._told: dict[tuple[str, str], set[str]] = {}
        self._named: set[str] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        about = getattr(report, "token_journey", None)
        if about is None or about["kind"] != "failed":
            return
        told = self._told.setdefault((about["path"], about["stage"]), set())
        # Once a cause was named, a failure whose cause is not known adds no more than noise.
        named = any(subject in self._named for subject in told)
        enough = about["subject"] in told or len(told) == STORIES_A_STAGE
        enough = enough or (named and not about["named"])
        if about["named"]:
            self._named.add(about["subject"])
        about["told"] = self._verbose or not enough
        if not enough:
            told.add(about["subject"])

    def pytest_report_teststatus(
        self, report: pytest.CollectReport | pytest.TestReport
    ) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
        about = getattr(report, "token_journey", None)
        if about is None or about["kind"] == "passed":
            return None
        if about["kind"] == "absent":
            return "not on this pack", "-", ("NOT ON THIS PACK", {"yellow": True})
        if about["kind"] == "todo":
            return "to do", "·", ("TO DO", {"cyan": True})
        return None if about["told"] else ("more failed", "f", ("FAILED", {"red": True}))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    reports = [report for kind in terminalreporter.stats.values() for report in kind]
    told = [about for report in reports if (about := getattr(report, "token_journey", None))]
    for report in terminalreporter.stats.get("passed", []):
        if walk := getattr(report, "token_journey_walk", ""):
            terminalreporter.write_line(f"\n{walk}")
    if told:
        write_scoreboard(grade(map(_verdict, told)), terminalreporter.write_line, _pytest())
        for why, count in Counter(about["absent"] for about in told if about["absent"]).items():
            checks = "1 check is" if count == 1 else f"{count} checks are"
            terminalreporter.write_line(f"  {checks} {why}.")
    elif exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and not config.option.collectonly:
        asked = ", ".join(config.args)
        terminalreporter.write_line(
            f"Nothing to grade in {asked}: a folder of stages holds files such as "
            "s03_rms_norm.py. Try `pytest exercises/`."
        )


def _pytest() -> str:
    """What to type to run this pytest: its path, where the environment is not activated."""
    here = Path(sys.executable).parent / "pytest"
    found = shutil.which("pytest")
    if found is None or not here.exists() or not os.path.samefile(found, here):
        near = os.path.relpath(here)
        return str(here) if near.startswith("..") else near
    return "pytest"


def _verdict(told: dict[str, Any]) -> Verdict:
    kept = {name: told[name] for name in ("path", "stage", "check", "kind", "subject")}
    return Verdict(**kept, mend=tuple(told["mend"]))
