"""What pytest loads wherever the kit is installed: its options, and the way to the rest.

In a run that meets no folder of stages nothing happens here: no torch, no course, no hook of
grading. The first folder or file of stages registers `grading.plugin`, and collects itself.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from token_journey.course.course import Course, find_course
from token_journey.course.kata import MARKER, is_kata
from token_journey.course.notebook_cells import holds_stage_cells
from token_journey.course.stage import Stage
from token_journey.errors import CourseError, not_installed
from token_journey.grading.steering import refusal, refusals
from token_journey.words.table import names_fit_nothing

if TYPE_CHECKING:
    from token_journey.grading.terminal import Telling

_STAGES_ALONE = pytest.StashKey[bool]()  # whether nothing but stages is asked for
_BRIEF = pytest.StashKey[bool]()
_REFUSED = pytest.StashKey[dict[Path, str]]()
_GRADING = "token_journey.grading.plugin"
_TELLING = "token_journey.grading.terminal"
# Plugins that come with extras: the name that pytest knows, modules, how its options begin.
_PLUGINS = (
    ("benchmark", ("pytest_benchmark", "psutil"), ("--benchmark",)),
    ("xdist", ("xdist",), ("-n", "--numprocesses", "--dist")),
)


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
        "--grade-json",
        type=Path,
        metavar="FILE",
        help="write what each check said, one JSON line a check, as they end",
    )
    group.addoption(
        "--no-time-limit",
        action="store_true",
        help="let checks run as long as they like; --pdb and --trace do, too",
    )
    group.addoption(
        "--benchmark-within",
        type=float,
        metavar="SECONDS",
        help="with --benchmark-only: time as many rounds as fit into so many seconds",
    )
    group.addoption(
        "--isolated",
        nargs="?",
        const="possible",
        default="",
        choices=("possible", "strict"),
        help="run every stage file in a process of its own that can't reach the judge",
    )
    group.addoption(
        "--device",
        default="cpu",
        metavar="DEVICE",
        help="where --benchmark-only times: cpu (default) or cuda",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: Sequence[str]) -> None:
    """Before pytest runs the first conftest.py: is there one with what is graded?"""
    course = _course()
    places = _asked_for(early_config)
    if course is None or not places:
        return
    here = early_config.invocation_params.dir
    if any(is_kata(place if place.is_dir() else place.parent, course) for place in [here, *places]):
        _refuse_missing_plugins(early_config, args)
    skipped = early_config.getini("norecursedirs")
    refused = early_config.stash.setdefault(_REFUSED, {})
    for place in places:
        found = refusals(place, skipped, course)
        top = place if place.is_dir() else place.parent
        for folder, file in found.items():
            # pytest runs the conftest.py of a path that it is given, and of `test*` below it.
            at_once = folder == top or folder.relative_to(top).parts[0].startswith("test")
            if at_once or not file.is_relative_to(folder):
                raise pytest.UsageError(refusal(file))
            refused[folder] = refusal(file)
    if all(_is_graded(place, course) for place in places):
        early_config.stash[_STAGES_ALONE] = True
        early_config.stash[_BRIEF] = not any(re.match("-[a-z]*r", str(arg)) for arg in args)
        _without_benchmarks(early_config, args)


def _asked_for(config: pytest.Config) -> list[Path]:
    """The paths of this run; plain `pytest` means this folder, unless settings name others."""
    here = config.invocation_params.dir
    given = config.known_args_namespace.file_or_dir
    if not given and config.getini("testpaths"):
        return []
    return [here / str(path).partition("::")[0] for path in given or ["."]]


def _refuse_missing_plugins(config: pytest.Config, args: Sequence[str]) -> None:
    """pytest would say no more than that it does not know such an option."""
    for name, modules, options in _PLUGINS:
        if not any(str(arg).startswith(options) for arg in args):
            continue
        loaded = config.pluginmanager.has_plugin(name)
        missing = [m for m in modules if find_spec(m) is None] if loaded else modules
        if missing:
            raise pytest.UsageError(str(not_installed(missing[0])))


def _is_graded(place: Path, course: Course) -> bool:
    if place.is_dir():
        notebooks = any(map(holds_stage_cells, place.glob("*.ipynb")))
        return course.holds_stages(place) or (place / MARKER).is_file() or notebooks
    return course.stage_of(place) is not None or holds_stage_cells(place)


def _without_benchmarks(config: pytest.Config, args: Sequence[str]) -> None:
    """pytest-benchmark asks seven processes about the machine, where nothing is to be timed."""
    if not any(str(arg).startswith("--benchmark") for arg in args):
        config.pluginmanager.unregister(name="benchmark")


@pytest.hookimpl(tryfirst=True)  # before pytest's own reporter reads these
def pytest_configure(config: pytest.Config) -> None:
    if config.stash.get(_BRIEF, False) and config.option.verbose <= 0:
        # pytest's header, and its summary of what was told, are for those who ask by -v or -r.
        config.option.reportchars, config.option.no_header = "", True
    if (file := config.getoption("grade_json")) and not hasattr(config, "workerinput"):
        from token_journey.grading.record import Record

        config.pluginmanager.register(Record(file))
    if config.getoption("dist", "no") != "no" and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_FirstReport(config))
    if config.getoption("pack") or config.getoption("whole_model"):  # said before all else
        _register(config)
        from token_journey.grading.collect import session_of

        session_of(config)


@cache
def _course() -> Course | None:
    try:
        return find_course()
    except CourseError:  # said when the first stage file is met
        return None


# -- the first stages that are met ---------------------------------------------


def _register(config: pytest.Config) -> None:
    """Register the plugin that grades, if this is the first that is to be graded."""
    if config.pluginmanager.has_plugin(_GRADING):
        return
    from token_journey.grading import plugin

    _telling(config)
    config.pluginmanager.register(plugin, _GRADING)
    if config.getoption("benchmark_only", False):
        from token_journey.cost import plugin as timing

        config.pluginmanager.register(timing)


def _telling(config: pytest.Config) -> Telling:
    from token_journey.grading.terminal import Telling

    if not config.pluginmanager.has_plugin(_TELLING):
        alone = config.stash.get(_STAGES_ALONE, False)
        told = Telling(config.get_verbosity() >= 2, alone)
        config.pluginmanager.register(told, _TELLING)
    return cast("Telling", config.pluginmanager.get_plugin(_TELLING))


@pytest.hookimpl(tryfirst=True)
def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A folder of stages is graded as a whole, and is no package of tests."""
    course = _course()
    if course is None or not course.holds_stages(path):
        return None
    _register(parent.config)
    from token_journey.grading.collect import folder

    return folder(path, parent, parent.config.stash.get(_REFUSED, {}).get(path))


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """A stage file is collected once, as ours: pytest would also run one that it is given."""
    collectors = yield
    if file_path.suffix == ".ipynb":
        return collectors or _notebook(file_path, parent)
    if Stage.of_file(file_path) is None:
        return collectors
    _register(parent.config)
    from token_journey.grading.collect import collected

    found = collected(file_path, parent)
    if parent.config.getoption("benchmark_only", False):
        from token_journey.cost.plugin import cost_modules

        found = [*found, *cost_modules(found)]
    return found


def _notebook(file: Path, parent: pytest.Collector) -> list[pytest.Collector]:
    """A notebook with stage cells; in a kata, where they are files, too, if it is asked for."""
    course, asked_for = _course(), parent.session.isinitpath(file)
    in_kata = course is not None and is_kata(file.parent, course)
    if in_kata and not asked_for:
        return []
    if not holds_stage_cells(file):
        if not asked_for:
            return []
        raise pytest.UsageError(
            f"There is nothing to grade in {file.name}: a stage is a cell that begins with its "
            "name, as `%%stage rms_norm`."
        )
    if parent.config.getoption("chained"):
        raise pytest.UsageError(
            f"--chained walks through a folder: what the cells of {file.name} wrote lies beside "
            "it, so try `pytest exercises --chained`."
        )
    _register(parent.config)
    from token_journey.grading.notebook import StageNotebook

    found: StageNotebook = StageNotebook.from_parent(parent, path=file)
    found.refusal = parent.config.stash.get(_REFUSED, {}).get(file.parent)
    return [found]


class _FirstReport:
    """Where other processes grade, as with `-n 2`, this one meets reports and no stage."""

    def __init__(self, config: pytest.Config):
        self._config = config

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if hasattr(report, "token_journey") and not self._config.pluginmanager.has_plugin(_TELLING):
            _telling(self._config).pytest_runtest_logreport(report)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    course = _course()
    nothing = exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and not config.option.collectonly
    here = config.invocation_params.dir
    if nothing and (left_out := terminalreporter.stats.get("deselected")):
        terminalreporter.write_line(names_fit_nothing(len(left_out)))
    elif nothing and course and any(is_kata(f, course) for f in (here, *here.parents)):
        terminalreporter.write_line(
            f"Nothing to grade in {', '.join(config.args)}: a folder of stages holds files such "
            "as s03_rms_norm.py. Try `pytest exercises/`."
        )
