"""Turn whatever a check raised into what a learner reads."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path

from token_journey.checking.comparison import Mismatch
from token_journey.course.implementation import CannotLoad
from token_journey.course.under_test import CheckFailure
from token_journey.grading.diagnosis.differences import explain
from token_journey.grading.diagnosis.doctor import Diagnosis
from token_journey.grading.judge import Judge, KeptState, NotRun
from token_journey.guards.time_limit import OutOfTime, WaitedTooLong

_LONGEST_MESSAGE = 500


@dataclass(frozen=True)
class Failure:
    """`subject` is the same for failures that tell the same story."""

    text: str
    subject: str
    to_do: bool = False
    named: bool = False


def describe_failure(
    judge: Judge,
    error: BaseException,
    promise: str,
    check: str,
    diagnosis: Diagnosis,
    held_back: bool = False,
) -> Failure | None:
    """What to say, or None where the fault is the kit's and a traceback is due.

    `promise` is the sentence that the check stands for, `check` its name,
    `diagnosis` what is known of the cause. Where the pack is `held_back`, nothing is
    repeated that a stage may have written of what it was handed.
    """
    if judge.is_stub(error):
        return Failure("to do", "to do", to_do=True)
    file = f"{judge.stage.name}.py"
    if isinstance(error, CannotLoad):
        return Failure(str(error), "cannot load")
    if isinstance(error, NotRun):
        look = "what they wait for" if error.waited else "a loop that never stops"
        said = f"Not run: earlier checks of {file} did not end. Look for {look}."
        return Failure(said, "not run")
    if isinstance(error, KeptState):
        said = (
            "The same check holds when your files are loaded anew for every call: something is "
            "kept between calls. Look for values stored outside the functions, and for what "
            "decides when they are used again."
        )
        return Failure(_wrapped(_lines(said, below=[f"Checked: {promise}"])), "kept state")
    told = _told(judge, error, promise, held_back)
    if told is None and held_back:  # a traceback shows what its functions hold
        said = f"The check itself broke ({type(error).__name__}), on numbers that are held back."
        return Failure(_wrapped(_lines(said, below=[f"Checked: {promise}"])), said)
    if told is None:
        return None
    # A cause that is known comes before all numbers; that none is known comes after.
    cause = "\n".join(diagnosis.lines)
    parts = [cause, told.text] if diagnosis.story else [told.text, cause]
    text = _wrapped("\n".join(filter(None, parts)))
    return Failure(text, diagnosis.story or told.subject, named=bool(diagnosis.story))


def _told(judge: Judge, error: BaseException, promise: str, held_back: bool) -> Failure | None:
    """The failure without its cause. What the code did comes first, unless it is numbers."""
    if isinstance(error, Mismatch):
        comparison = error.comparison
        place = f"{comparison.where}: " if comparison.where else ""
        lines = explain(error)
        if error.complaint:
            below = [f"{place}{comparison.what}"] if place else []
            return Failure(
                _lines(error.complaint, below=[*below, f"Checked: {promise}"]), error.complaint
            )
        return Failure(_lines(promise, f"{place}{comparison.what}", below=lines), promise)
    if isinstance(error, CheckFailure):
        return Failure(_lines(str(error), below=[f"Checked: {promise}"]), str(error))
    frames = judge.folder.frames(error)
    if isinstance(error, OutOfTime) and not frames:
        return Failure(_lines("It did not end in time.", below=[f"Checked: {promise}"]), "time")
    if not frames:
        return None
    last = frames[-1]
    place = f"{Path(last.filename).name}:{last.lineno}, in {last.name}"
    if isinstance(error, WaitedTooLong):
        said = (
            f"It did not end in time and was stopped at {place}: it hardly computed. Does it wait "
            "for input(), sleep() or another thread?"
        )
    elif isinstance(error, OutOfTime):
        said = f"It did not end in time and was stopped at {place}: a loop that never stops?"
    elif isinstance(error, SystemExit | KeyboardInterrupt):
        said = f"Your code ended the program at {place}: leave out exit()."
    else:
        said = "" if held_back else _message(error)
        message = f": {said}" if said else ""
        said = f"{type(error).__name__} at {place}{message}{_hint(error)}"
    subject = f"{type(error).__name__} {place}"
    return Failure(_lines(said, below=[f"  {last.line}", f"Checked: {promise}"]), subject)


def _message(error: BaseException) -> str:
    try:
        said = str(error)
        return said if len(said) <= _LONGEST_MESSAGE else f"{said[:_LONGEST_MESSAGE]}…"
    except Exception:  # a learner's own exception may not even be able to speak
        return "(its message can't be shown)"


def _hint(error: BaseException) -> str:
    """What to import, for a name that everybody expects to be there."""
    missing = error.name if isinstance(error, NameError) else None
    if missing in ("torch", "math", "einops"):
        return f": write `import {missing}` above your functions"
    return ""


def _lines(*head: str, below: list[str]) -> str:
    return "\n".join([*head, *(f"  {line}" for line in below)])


def _wrapped(text: str) -> str:
    """Long sentences broken into lines, each as far in as it began."""
    lines = []
    for line in text.splitlines():
        margin = line[: len(line) - len(line.lstrip())]
        lines += textwrap.wrap(line, 96, subsequent_indent=margin, break_long_words=False) or [""]
    return "\n".join(lines)
