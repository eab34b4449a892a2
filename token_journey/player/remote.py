"""The stage as the judge sees it: what a check calls here runs in a player.

A `RemoteImplementation` takes the place of an `Implementation`: its modules hand out functions,
classes and values that behave for a check as those of a module of this process do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from traceback import FrameSummary
from typing import Any, Protocol

import torch

from token_journey.course.borrowed import operators
from token_journey.course.implementation import CannotLoad
from token_journey.course.stage import Stage, not_there
from token_journey.course.under_test import (
    CalledAfresh,
    Stages,
    StageUnderTest,
)
from token_journey.guards.time_limit import OutOfTime, slowness
from token_journey.player.conversation import SECONDS_OUTSIDE, Conversation, Ended
from token_journey.player.objects import RemoteModule
from token_journey.player.raised import Told, plain_name

# For all checks of a stage, by the clock on the wall of an ordinary machine.
SECONDS_A_STAGE = 60.0
_GRACE = 1.0  # seconds more that the judge waits, so that a player can say where it was stopped


class RemoteStage(StageUnderTest):
    """A stage in a player, as a check sees it."""

    implementation: RemoteImplementation

    @property
    def clock(self) -> Callable[[], float]:
        """That on the wall, as all checks of a stage together are counted by."""
        return time.monotonic

    @contextmanager
    def trial(self, seconds: float) -> Iterator[None]:
        """Around one check; what the player may compute in it is counted from here."""
        self.implementation.begin(seconds)
        try:
            with super().trial(seconds + _GRACE):
                yield
        finally:
            self.implementation.settle()

    @contextmanager
    def with_function_of(
        self, reference: Stages, name: str, shared: Collection[str]
    ) -> Iterator[StageUnderTest]:
        """The same stage with the reference's function in its place, in a player of its own."""
        stage, other = self.file.stem, self.implementation.another()
        try:
            other.module(stage)
            other.replace(stage, name, shared, _texts(reference, [stage]))
            yield other.under_test(stage)
        finally:
            other.unload()

    def imported_answers(self) -> set[str]:
        found = self.implementation.read("imports", self.file.stem)
        return {plain_name(name) for name in found}

    def operators_called(self, call: Callable[[], Any]) -> set[str]:
        with self.implementation.profiled() as found:
            call()
        return operators(map(str, found))


class Together:
    """The seconds that all checks of a stage have taken, in whatever players."""

    def __init__(self) -> None:
        self._taken = 0.0
        self._began: float | None = None

    def begin(self) -> None:
        self._began = time.monotonic()

    def count(self) -> None:
        if self._began is not None:
            self._taken += time.monotonic() - self._began
        self._began = None

    @property
    def left(self) -> float:
        return SECONDS_A_STAGE - self._taken / slowness()


class Starter(Protocol):
    """Who starts players."""

    def start(self, folder: Path, spare: bool) -> Conversation:
        """A conversation with a new player, which may read this folder."""

    def reader(self, folder: Path) -> Conversation:
        """One with a player that runs nothing of the folder, and only reads it."""


class RemoteImplementation:
    """The stage files of one folder, in a player; `stand_ins` are earlier stages as text."""

    def __init__(
        self,
        folder: Path,
        players: Starter,
        refusal: str | None = None,
        stand_ins: Mapping[str, Any] | None = None,
        together: Together | None = None,
    ):
        """refusal: why nothing of the folder may be run, if so; together: what it has taken"""
        self.folder = folder.resolve()
        self._players, self._refusal = players, refusal
        self._stand_ins = dict(stand_ins or {})
        self._conversation: Conversation | None = None
        self._modules: dict[str, RemoteModule] = {}
        self._seconds = SECONDS_OUTSIDE
        self._is_spare = together is not None
        self._together = together or Together()

    def module(self, stage: str) -> Any:
        """The stage's module; raises CannotLoad as `Implementation` does, or Ended."""
        conversation = self._conversation
        if conversation is not None and conversation.alive and stage in self._modules:
            return self._modules[stage]
        if missing := self.missing(stage):
            raise CannotLoad(missing)
        conversation = self._running()
        if stage not in self._modules:
            conversation.request("load", stage=stage)
            self._modules[stage] = RemoteModule(conversation, stage)
        return self._modules[stage]

    def missing(self, stage: str) -> str | None:
        """What to say where no file of the folder can be run as this stage."""
        return self._refusal or not_there(self.folder, Stage(stage))

    def _running(self) -> Conversation:
        if self._conversation is None or not self._conversation.alive:
            self._conversation = self._players.start(self.folder, self._is_spare)
            self._conversation.begin(self._seconds, self._together.left)
            self.load_afresh()
        return self._conversation

    def load_afresh(self) -> None:
        """Forget all modules of this folder in the player."""
        conversation = self._running()
        self._modules.clear()
        conversation.request("implementation", folder=str(self.folder), stand_ins=self._stand_ins)

    def under_test(self, stage: str) -> RemoteStage:
        """The stage as a check sees it."""
        found = RemoteStage(self.folder / f"{stage}.py", lambda: self.module(stage))
        found.implementation = self
        return found

    @contextmanager
    def called_afresh(self, stage: str) -> Iterator[StageUnderTest]:
        """The stage, loaded anew for every call, in a player that ends afterwards."""
        other = self.another()

        def load() -> Any:
            other.load_afresh()
            return other.module(stage)

        found = _RemoteAfresh(self.folder / f"{stage}.py", load)
        found.implementation = other
        try:
            yield found
        finally:
            other.unload()

    def replace(
        self, stage: str, name: str, shared: Collection[str], texts: Mapping[str, str]
    ) -> None:
        """Put the reference's function in the place of the hand-in's."""
        self._running().request("replace", texts=texts, function=[stage, name, [*shared]])

    def standing_in(self, reference: Stages, names: Iterable[str]) -> RemoteImplementation:
        """This folder with the reference's stages in the place of these."""
        stand_ins = {"only": [*names], "texts": _texts(reference, names)}
        return self.another(stand_ins)

    def another(self, stand_ins: Mapping[str, Any] | None = None) -> RemoteImplementation:
        """The same folder in another player, on the same account of seconds."""
        stand_ins = self._stand_ins if stand_ins is None else stand_ins
        return RemoteImplementation(
            self.folder, self._players, self._refusal, stand_ins, self._together
        )

    def siblings(self, stage: str) -> tuple[str, ...]:
        """The stages that a stage's file imports from beside itself, directly or through others."""
        try:
            return tuple(map(plain_name, self.read("siblings", stage)))
        except (CannotLoad, OutOfTime):  # who breaks what reads it is judged alone
            return ()

    def read(self, what: str, stage: str) -> Any:
        """Something of a file's text, by a player that runs none of it."""
        reader = self._players.reader(self.folder)
        reader.begin(SECONDS_OUTSIDE)
        try:
            return reader.request("read", what=what, folder=str(self.folder), stage=stage)
        finally:
            reader.settle()

    @contextmanager
    def profiled(self) -> Iterator[list[str]]:
        """The names of all that torch's profiler sees in the player meanwhile."""
        conversation = self._running()
        found: list[str] = []
        conversation.recorded = found
        try:
            yield found
        finally:
            conversation.recorded = None

    @contextmanager
    def apart(self, left: set[str]) -> Iterator[None]:
        """A stage changes its own player, and of this process chance and grad mode alone."""
        gradients = torch.is_grad_enabled()
        with torch.random.fork_rng(devices=()):
            try:
                yield
            finally:
                torch.set_grad_enabled(gradients)

    def frames(self, error: BaseException) -> list[FrameSummary]:
        """The part of a traceback that lies in this folder, outermost first."""
        told = error.__dict__.get("told")
        return list(told.frames) if isinstance(told, Told) else []

    # -- one check after the other ------------------------------------------------

    def begin(self, seconds: float) -> None:
        if self._together.left <= 0:
            raise Ended(
                f"Not run: the checks of this stage took more than {SECONDS_A_STAGE:.0f} seconds "
                "together. Look for what takes so long."
            )
        self._together.begin()
        self._seconds = seconds
        if self._conversation is not None and self._conversation.alive:
            self._conversation.begin(seconds, self._together.left)

    def settle(self) -> None:
        self._together.count()
        if self._conversation is not None and self._conversation.alive:
            self._conversation.settle()

    def unload(self) -> None:
        """End the player."""
        if self._conversation is not None:
            self._conversation.end()
        self._conversation = None


def _texts(reference: Stages, names: Iterable[str]) -> dict[str, str]:
    """The sources of these stages of the reference, and of those that they import."""
    needed = {*names} | {below for name in names for below in reference.siblings(name)}
    return {n: (reference.folder / f"{n}.py").read_text(encoding="utf-8") for n in needed}


class _RemoteAfresh(CalledAfresh, RemoteStage):
    pass
