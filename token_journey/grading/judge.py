"""Run a check on a stage, and once more where earlier stages may be to blame.

A stage is judged alone. When a check fails on a stage that builds on earlier
ones, it is run again with the reference's earlier stages in the place of the
learner's: if it holds then, this stage is right and the message can name the
one to mend; if not, what is wrong is in this stage.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from token_journey.course.implementation import CannotLoad, LoadsForEver
from token_journey.course.stage import Stage
from token_journey.course.under_test import Check, Stages, StageUnderTest, note
from token_journey.guards.time_limit import OutOfTime, WaitedTooLong

SECONDS_A_CHECK = 10.0
_TIMEOUTS_A_STAGE = 1
# A check that was loaded anew for every call and is still not done proves nothing.
_SECONDS_AFRESH = 1.0
# A check that meets an earlier stage that is known to go on for ever is not waited for again.
_SECONDS_OF_ENDLESS = 1.0


class NotRun(Exception):
    """A check that was not tried, because those before it never ended, but computed or waited."""

    def __init__(self, waited: bool):
        super().__init__()
        self.waited = waited


class KeptState(Exception):
    """A check that fails, and holds when the folder is loaded anew for every call."""


@dataclass(frozen=True)
class Outcome:
    """What came of one check.

    `error` is what was raised, if anything, by the stage as `implementation`
    has it; `mend` the earlier stages that kept a right stage from working.
    """

    implementation: Stages
    error: BaseException | None = None
    mend: tuple[str, ...] = ()


class Judge:
    """Judges one stage of one folder; `reference` is the folder that can stand in."""

    def __init__(
        self,
        stage: Stage,
        folder: Stages,
        reference: Stages | None,
        endless: set[str] | None = None,
    ):
        """endless: the stages of this folder that never ended, for all that judge it"""
        self.stage = stage
        self._endless = set() if endless is None else endless
        self.folder = folder
        self.reference = None if reference and reference.folder == folder.folder else reference
        self._with_stand_ins: dict[tuple[str, ...], Stages] = {}
        self._guilty: list[tuple[str, ...]] = []
        self._timeouts: list[OutOfTime] = []
        self.left: set[str] = set()  # what its code changed for good in this process

    def run(self, check: Check, seconds: float = SECONDS_A_CHECK) -> Outcome:
        """Run a check; raises nothing but a person's KeyboardInterrupt."""
        if len(self._timeouts) >= _TIMEOUTS_A_STAGE:
            waited = isinstance(self._timeouts[0], WaitedTooLong)
            return Outcome(self.folder, NotRun(waited))
        outcome = self._judged(check, seconds)
        if isinstance(outcome.error, OutOfTime):
            self._timeouts.append(outcome.error)
        if _never_ended(outcome.error):
            self._endless.add(self.stage.name)
        return outcome

    def _judged(self, check: Check, seconds: float) -> Outcome:
        endless = tuple(name for name in self._used if name in self._endless)
        soon = min(seconds, _SECONDS_OF_ENDLESS)
        if endless and endless in self._guilty:  # nothing is learned by waiting for it again
            never_ended = True
        else:
            error = self._error(check, self.under_test, soon if endless else seconds)
            if error is None or self.is_stub(error) or self.folder.missing(self.stage.name):
                return Outcome(self.folder, error)
            never_ended = _never_ended(error)
            if endless and never_ended:
                self._guilty.insert(0, endless)
            elif not isinstance(error, CannotLoad) and self._holds_afresh(check):
                return Outcome(self.folder, KeptState())
            if not self._may_be_inherited():
                return Outcome(self.folder, error)
        for suspects in self._guilty:  # what was to blame before is likely to be again
            if self._with_reference(check, suspects, seconds) is None:
                return Outcome(self._standing_in(suspects), mend=suspects)
        standing_in = self._standing_in(self._earlier)
        alone = self._with_reference(check, self._earlier, seconds)
        if alone is not None:
            return Outcome(standing_in, alone)
        mend = self._to_mend(check, soon if never_ended else seconds)
        if never_ended:
            self._endless.update(mend)
        return Outcome(standing_in, mend=mend)

    @cached_property
    def under_test(self) -> StageUnderTest:
        """The stage as it works in its own folder."""
        return self.stage_in(self.folder)

    def _with_reference(
        self, check: Check, names: tuple[str, ...], seconds: float
    ) -> BaseException | None:
        """What a check raises where the reference's stages of these names stand in."""
        return self._error(check, self.stage_in(self._standing_in(names)), seconds)

    def _error(self, check: Check, stage: StageUnderTest, seconds: float) -> BaseException | None:
        try:
            with self.apart(), stage.trial(seconds):
                check(stage)
        except BaseException as error:  # SystemExit and OutOfTime are the learner's, too
            note(error, "asked", tuple(stage.asked))
            if isinstance(error, KeyboardInterrupt) and not self.folder.frames(error):
                raise
            return error
        return None

    @property
    def reference_file(self) -> Path | None:
        """Where the reference writes the same stage, if there is one."""
        return None if self.reference is None else self.reference.folder / self.stage.file

    def is_right(self, check: Check) -> bool:
        """Whether the reference passes a check, so that a stage is to blame if it breaks."""
        if self.reference is None:
            return False
        return self._error(check, self.stage_in(self.reference), SECONDS_A_CHECK) is None

    def apart(self) -> AbstractContextManager[None]:
        """What the folder's code changes of the process is put back at the end."""
        return self.folder.apart(self.left)

    def stage_in(self, implementation: Stages) -> StageUnderTest:
        return implementation.under_test(self.stage.name)

    def _holds_afresh(self, check: Check) -> bool:
        """Whether a check that failed holds when no call finds what another left behind."""
        with self.folder.called_afresh(self.stage.name) as stage:
            return self._error(check, stage, _SECONDS_AFRESH) is None

    # -- earlier stages -------------------------------------------------------

    @cached_property
    def _earlier(self) -> tuple[str, ...]:
        if self.reference is None:
            return ()
        files = sorted(self.reference.folder.glob("s[0-9][0-9]_*.py"))
        return tuple(f.stem for f in files if f.stem < self.stage.name)

    def _may_be_inherited(self) -> bool:
        return self.reference is not None and bool(self._used)

    def is_stub(self, error: BaseException) -> bool:
        """Whether it is this stage's own file that says "not implemented"."""
        frames = self.folder.frames(error)
        own = bool(frames) and Path(frames[-1].filename).stem == self.stage.name
        # torch, too, raises NotImplementedError; only a `raise` of their own is a stub.
        raised = own and (frames[-1].line or "").startswith("raise")
        return raised and isinstance(error, NotImplementedError)

    @cached_property
    def _used(self) -> tuple[str, ...]:
        used = self.folder.siblings(self.stage.name)
        return tuple(name for name in used if name in self._earlier)

    def _standing_in(self, names: tuple[str, ...]) -> Stages:
        if names not in self._with_stand_ins:
            assert self.reference is not None
            self._with_stand_ins[names] = self.folder.standing_in(self.reference, names)
        return self._with_stand_ins[names]

    def _to_mend(self, check: Check, seconds: float) -> tuple[str, ...]:
        """The fewest earlier stages whose replacement is enough."""
        suspects = self._used
        for name in reversed(self._used):  # a late one may only pass on what is wrong before it
            fewer = tuple(other for other in suspects if other != name)
            if self._with_reference(check, fewer, seconds) is None:
                suspects = fewer
        self._guilty.append(suspects)
        return suspects

    def unload(self) -> None:
        for implementation in self._with_stand_ins.values():
            implementation.unload()


def _never_ended(error: BaseException | None) -> bool:
    return isinstance(error, OutOfTime | LoadsForEver)
