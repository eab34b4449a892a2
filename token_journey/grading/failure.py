"""Turn whatever a check raised into what a learner reads."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from pathlib import Path
from traceback import StackSummary

from token_journey.checking.comparison import Mismatch
from token_journey.course.implementation import CannotLoad
from token_journey.course.under_test import CheckFailure
from token_journey.foreign import message_of, name_of_class, shown
from token_journey.grading.circumstances import circumstances
from token_journey.grading.diagnosis.differences import explain
from token_journey.grading.diagnosis.doctor import Diagnosis
from token_journey.grading.judge import Judge, KeptState, NotRun
from token_journey.grading.verdict import NO_END, NOT_RUN
from token_journey.guards.time_limit import OutOfTime, WaitedTooLong
from token_journey.words import failure as words
from token_journey.words.finding import Finding, Said

COLUMNS = 96  # that messages are broken into


@dataclass(frozen=True)
class Failure:
    """What to tell of a check that does not hold.

    `head` comes first and `below` it, indented, what belongs to it. A `cause` that is
    named comes before all else; that none is known comes after. `subject` is the same
    for failures that tell the same story; what is `broken` raised an error.
    """

    head: tuple[Said, ...]
    subject: str
    below: tuple[Said, ...] = ()
    cause: tuple[Finding, ...] = ()
    to_do: bool = False
    named: bool = False
    broken: bool = False
    wrapped: bool = True

    @property
    def text(self) -> str:
        told = [*map(str, self.head), *(f"  {line}" for line in self.below)]
        cause = [*map(str, self.cause)]
        text = "\n".join([*cause, *told] if self.named else [*told, *cause])
        return _wrapped(text) if self.wrapped else text


def describe_failure(
    judge: Judge,
    error: BaseException,
    promise: str,
    diagnosis: Diagnosis,
    held_back: bool = False,
) -> Failure | None:
    """What to say, or None where the fault is the kit's and a traceback is due.

    `promise` is the sentence that the check stands for, `diagnosis` what is known of
    the cause. Where the pack is `held_back`, nothing is
    repeated that a stage may have written of what it was handed.
    """
    if judge.is_stub(error):
        return Failure((Finding(words.to_do),), "to do", to_do=True)
    if isinstance(error, CannotLoad):
        return Failure((str(error),), "cannot load", wrapped=False)
    if isinstance(error, NotRun):
        return Failure((_not_run(judge, error),), NOT_RUN)
    checked = Finding(words.checked, promise)
    if isinstance(error, KeptState):
        return Failure((Finding(words.kept_state),), "kept state", (checked,))
    told = _told(judge, error, promise, held_back)
    if told is None and held_back:  # a traceback shows what its functions hold
        broken = Finding(words.broken_check, type(error).__name__)
        return Failure((broken,), str(broken), (checked,))
    return told and _with_cause(told, diagnosis)


def describe_fault_of_the_course(promise: str, pack: str | None) -> Failure:
    """What to say where the reference fails a check, too: nobody's stage is told a mistake."""
    said = Finding(words.check_is_wrong) if pack is None else Finding(words.pack_is_wrong, pack)
    return Failure((said,), str(said), (Finding(words.checked, promise),))


def describe_unusable(
    judge: Judge,
    error: BaseException,
    promise: str,
    diagnosis: Diagnosis,
    in_check: StackSummary,
) -> Failure:
    """What to say where the check broke on what a stage gave it, and not in the stage's lines."""
    kind, message = name_of_class(error), message_of(error)
    said = Finding(words.unusable, f"{judge.stage.name}.py", kind, message)
    lines: list[Said] = [f"  {shown(frame.line or '')}" for frame in in_check[-1:]]
    checked = Finding(words.checked, promise)
    below: tuple[Said, ...] = (*lines, *_around(judge, error), checked)
    return _with_cause(Failure((said,), str(said), below, broken=True), diagnosis)


def _with_cause(told: Failure, diagnosis: Diagnosis) -> Failure:
    subject = diagnosis.story or told.subject
    return replace(told, cause=diagnosis.findings, subject=subject, named=bool(diagnosis.story))


def _not_run(judge: Judge, error: NotRun) -> Finding:
    said = words.not_run_after_a_wait if error.waited else words.not_run_after_a_loop
    return Finding(said, f"{judge.stage.name}.py")


def _told(judge: Judge, error: BaseException, promise: str, held_back: bool) -> Failure | None:
    """The failure without its cause. What the code did comes first, unless it is numbers."""
    checked = Finding(words.checked, promise)
    if isinstance(error, Mismatch):
        return _mismatch(error, promise)
    if isinstance(error, CheckFailure):
        return Failure((str(error),), str(error), (checked,))
    frames = judge.folder.frames(error)
    if not frames:
        ended = not isinstance(error, OutOfTime)
        return None if ended else Failure((Finding(words.did_not_end),), NO_END, (checked,))
    last = frames[-1]
    named = [frame.name for frame in frames if not frame.name.startswith("<")]  # no `<listcomp>`
    function = (named or [last.name])[-1]
    place = words.in_function(Path(last.filename).name, last.lineno, function)
    said = _raised(error, place, held_back)
    around = () if held_back else _around(judge, error, function, last.line or "")
    below: tuple[Said, ...] = (f"  {shown(last.line or '')}", *around, checked)
    return Failure((said,), f"{type(error).__name__} {place}", below, broken=True)


def _around(
    judge: Judge, error: BaseException, function: str = "", line: str = ""
) -> tuple[Finding, ...]:
    where = judge.folder.folder, judge.reference_file
    return tuple(circumstances(error, function, line, *where))


def _mismatch(error: Mismatch, promise: str) -> Failure:
    comparison = error.comparison
    compared = Finding(words.compared, comparison.where, comparison.what)
    if error.complaint is None:
        return Failure((promise, compared), promise, tuple(explain(error)))
    checked = Finding(words.checked, promise)
    below = (compared, checked) if comparison.where else (checked,)
    return Failure((error.complaint,), error.complaint.kind, below)  # whatever the prompt


def _raised(error: BaseException, place: str, held_back: bool) -> Finding:
    """What ended the learner's code, and where."""
    if isinstance(error, WaitedTooLong):
        return Finding(words.endless_wait, place)
    if isinstance(error, OutOfTime):
        return Finding(words.endless_loop, place)
    if isinstance(error, SystemExit | KeyboardInterrupt):
        return Finding(words.ended_the_program, place)
    message = "" if held_back else message_of(error)
    return Finding(words.raised, name_of_class(error), place, message, _missing(error))


def _missing(error: BaseException) -> str | None:
    """What to import, for a name that everybody expects to be there."""
    missing = error.name if isinstance(error, NameError) else None
    return missing if missing in ("torch", "math", "einops") else None


def _wrapped(text: str) -> str:
    """Long sentences broken into lines, each as far in as it began."""
    lines = []
    for line in text.splitlines():
        margin = line[: len(line) - len(line.lstrip())]
        lines += textwrap.wrap(line, COLUMNS, subsequent_indent=margin, break_long_words=False) or [
            ""
        ]
    return "\n".join(lines)
