"""Load the stage files of a folder, whoever wrote them.

A folder becomes a package of its own under a private name, so that
`from .s03_rms_norm import rms_norm` finds the file beside it, two folders
never mix, and nothing is put on `sys.path`.
"""

from __future__ import annotations

import importlib
import itertools
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from types import ModuleType, TracebackType

from token_journey.course.stage import Stage, not_there
from token_journey.course.under_test import CalledAfresh, StageUnderTest
from token_journey.foreign import message_of, name_of_class, shown
from token_journey.guards.time_limit import OutOfTime, WaitedTooLong
from token_journey.words import calls as words

_STAGE_NAME = re.compile(r"\bs\d\d_\w+")
# `from .s03_rms_norm import rms_norm`, `from . import s03_rms_norm`, and helpers: `from .utils …`
_RELATIVE_IMPORT = re.compile(r"^\s*from\s+\.(.*)", re.MULTILINE)
_PACKAGE = "_implementation_"
_package_numbers = itertools.count()


class CannotLoad(BaseException):
    """A stage file that Python can't run; the message says where and why, its cause is the error.

    Not an Exception, so that no check takes it for what a function raises.
    """


class LoadsForEver(CannotLoad):
    """A stage file that did not end in time while it was run."""


class Implementation:
    """The stage files of one folder.

    `stand_ins` are modules that take the place of the folder's own files of
    that name: how a stage is judged with somebody else's earlier stages.
    """

    def __init__(
        self,
        folder: Path,
        stand_ins: Mapping[str, ModuleType] | None = None,
        refusal: str | None = None,
    ):
        """refusal: why nothing of the folder may be run, if so"""
        self.folder = folder.resolve()
        self._refusal = refusal
        self._stand_ins = dict(stand_ins or {})
        self._modules: dict[str, ModuleType] = {}
        self._failures: dict[str, tuple[str, BaseException]] = {}
        self._found_beside: dict[str, ModuleType] = {}
        self._places: list[str] = []
        self._package = f"{_PACKAGE}{next(_package_numbers)}"
        importlib.invalidate_caches()
        package = ModuleType(self._package)
        package.__path__ = [str(self.folder)]
        sys.modules[self._package] = package
        for name, module in self._stand_ins.items():
            sys.modules[f"{self._package}.{name}"] = module

    def module(self, stage: str) -> ModuleType:
        """The stage's module, run once.

        Raises CannotLoad for a file that is not there, with a syntax error, a failing
        import, or anything else that goes wrong while it is run.
        """
        if stage in self._modules:
            return self._modules[stage]
        if missing := self.missing(stage):
            raise CannotLoad(missing)
        if stage not in self._failures:
            try:
                self._modules[stage] = importlib.import_module(f"{self._package}.{stage}")
                return self._modules[stage]
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # SystemExit too: it is the learner's file that ran
                self._failures[stage] = self._explain(stage, error), error
        said, cause = self._failures[stage]
        raise (LoadsForEver if isinstance(cause, OutOfTime) else CannotLoad)(said) from cause

    def missing(self, stage: str) -> str | None:
        """What to say where no file of the folder can be run as this stage."""
        if stage in self._stand_ins or not Stage.of_file(Path(f"{stage}.py")):
            return None
        return self._refusal or not_there(self.folder, Stage(stage))

    def under_test(self, stage: str) -> StageUnderTest:
        """The stage as a check sees it."""
        return StageUnderTest(self.folder / f"{stage}.py", lambda: self.module(stage))

    @contextmanager
    def called_afresh(self, stage: str) -> Iterator[StageUnderTest]:
        """The stage, loaded anew for every call."""
        loaded: list[Implementation] = []

        def load() -> ModuleType:
            loaded.append(Implementation(self.folder))
            return loaded[-1].module(stage)

        try:
            yield CalledAfresh(self.folder / f"{stage}.py", load)
        finally:
            for implementation in loaded:
                implementation.unload()

    def standing_in(self, reference: Implementation, names: Iterable[str]) -> Implementation:
        """This folder with the reference's stages in the place of these."""
        return Implementation(self.folder, {name: reference.module(name) for name in names})

    def siblings(self, stage: str) -> tuple[str, ...]:
        """The stages that a stage's file imports from beside itself, directly or through others."""
        found: set[str] = set()
        seen: set[str] = set()
        to_read = {stage}
        while to_read:
            name = to_read.pop()
            seen.add(name)
            file = self.folder / f"{name}.py"
            if file.is_file():
                source = file.read_text(encoding="utf-8", errors="replace")
                imports = " ".join(_RELATIVE_IMPORT.findall(source))
                found |= set(_STAGE_NAME.findall(imports)) - {stage}
                to_read |= set(re.findall(r"\w+", imports)) - seen
        return tuple(sorted(found))

    def frames(self, error: BaseException) -> list[traceback.FrameSummary]:
        """The part of a traceback that lies in this folder, outermost first."""
        walked = traceback.extract_tb(error.__traceback__)
        return [frame for frame in walked if Path(frame.filename).parent == self.folder]

    @contextmanager
    def apart(self, left: set[str]) -> Iterator[None]:
        """What its code changes of this process is put back; `left` gets what can't be."""
        from token_journey.guards.process_state import quarantine

        with quarantine(left), self._own_imports():
            yield

    @contextmanager
    def _own_imports(self) -> Iterator[None]:
        """What its files find beside themselves by way of `sys.path` is found by nobody else."""
        latest, places = next(reversed(sys.modules)), list(sys.path)
        sys.modules.update(self._found_beside)
        sys.path[:0] = self._places
        try:
            yield
        finally:
            for name in list(takewhile(latest.__ne__, reversed(sys.modules))):
                file = Path(str(getattr(sys.modules[name], "__file__", None)))
                if not name.startswith(_PACKAGE) and file.is_relative_to(self.folder):
                    self._found_beside[name] = sys.modules.pop(name)
            self._places = [place for place in sys.path if place not in places]

    def unload(self) -> None:
        self._modules.clear()
        for name in [n for n in sys.modules if n.split(".")[0] == self._package]:
            del sys.modules[name]

    def _explain(self, stage: str, error: BaseException) -> str:
        file = f"{stage}.py"
        if isinstance(error, SyntaxError) and error.filename:
            place = f"{Path(error.filename).name}:{error.lineno}"
            return words.unreadable(place, error.msg, shown((error.text or "").strip()))
        if isinstance(error, UnicodeDecodeError):
            return words.not_utf_8(file)
        if isinstance(error, SyntaxError) and "null bytes" in (message_of(error) or ""):
            return words.null_bytes(file)
        frames = self.frames(error)
        place, line = file, ""
        if frames:
            place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}"
            line = f"\n    {shown(frames[-1].line or '')}"
        if isinstance(error, OutOfTime):
            return words.import_did_not_end(place, isinstance(error, WaitedTooLong), line)
        return words.not_imported(place, name_of_class(error), message_of(error), line)


def frames_in(folder: Path, frames: TracebackType | None) -> TracebackType | None:
    """The part of a traceback that lies in a folder, to be opened by a debugger."""
    found: TracebackType | None = None
    walked = []
    while frames is not None:
        walked.append(frames)
        frames = frames.tb_next
    for here in reversed(walked):
        if Path(here.tb_frame.f_code.co_filename).parent == folder:
            found = TracebackType(found, here.tb_frame, here.tb_lasti, here.tb_lineno)
    return found
