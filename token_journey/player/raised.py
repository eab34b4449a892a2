"""Exceptions and signatures, as a player tells of them and as the judge has them."""

from __future__ import annotations

import builtins
import inspect
from traceback import FrameSummary
from typing import Any

from token_journey.course.implementation import CannotLoad, LoadsForEver
from token_journey.course.under_test import CheckFailure
from token_journey.foreign import shown
from token_journey.guards.time_limit import OutOfTime, WaitedTooLong
from token_journey.player.protocol import Coder

_LONGEST_MESSAGE, _LONGEST_NAME, _MOST_FRAMES, _MOST_PARAMETERS = 2_000, 100, 40, 50
_REFUSED = (
    "With --isolated a stage starts no process, opens no connection, sets no priority, and reads "
    "and writes nothing outside its folder."
)
_OURS: dict[str, type[BaseException]] = {
    "OutOfTime": OutOfTime,
    "WaitedTooLong": WaitedTooLong,
    "CannotLoad": CannotLoad,
    "LoadsForEver": LoadsForEver,
    "CheckFailure": CheckFailure,
}


class Told:
    """What a player says of an exception: the learner's own frames, and whether torch raised it."""

    def __init__(self, frames: tuple[FrameSummary, ...], torch_s: bool):
        self.frames, self.torch_s = frames, torch_s


def rebuilt(told: dict[str, Any]) -> BaseException:
    """The exception that a player tells of, of the same kind and with the same words."""
    called, said = told["type"], told["said"]
    if said and told["refused"] is True:
        said = f"{said}\n{_REFUSED}" if called == "CannotLoad" else f"{said} ({_REFUSED})"
    if called == "KeyboardInterrupt":  # only a person at the judge's own keyboard makes one
        told["bases"] = ["SystemExit"]
    if called in _OURS:
        error: BaseException = _OURS[called](_cut(said or ""))
    else:
        error = _exception(called, told["bases"], said, told["args"])
    if isinstance(error, NameError) and is_name(told["name"]):
        error.name = told["name"]
    error.__dict__["told"] = Told(frames_of(told), told["torch_s"] is True)
    return error


def frames_of(told: dict[str, Any]) -> tuple[FrameSummary, ...]:
    return tuple(_frame(*frame) for frame in told["frames"][-_MOST_FRAMES:])


def _exception(called: Any, bases: list[Any], said: Any, args: Any) -> BaseException:
    """An exception of a builtin kind, or of one that is called as the learner's own."""
    kinds = (getattr(builtins, base, None) for base in bases if isinstance(base, str))
    known = next(k for k in kinds if isinstance(k, type) and issubclass(k, BaseException))
    message = None if said is None else _cut(said)
    if known.__name__ == called and args is not None:
        try:
            given = Coder().decode(args)
            error = known(*(_cut(a) if isinstance(a, str) else a for a in given))
            if str(error) == message:
                return error
        except Exception:
            pass

    def speak(self: BaseException) -> str:
        if message is None:
            raise ValueError("it can't speak")
        return message

    made: type[BaseException] = type(plain_name(called), (known,), {"__str__": speak})
    return made.__new__(made)


def _frame(file: str, line: Any, function: str, text: str) -> FrameSummary:
    number = line if type(line) is int else 0
    return FrameSummary(
        shown(file, _LONGEST_NAME), number, plain_name(function), line=shown(text, 400)
    )


def told(number: int, error: Exception) -> dict[str, Any]:
    kinds = [kind.__name__ for kind in type(error).__mro__]
    base = next(name for name in kinds if isinstance(getattr(builtins, name, None), type))
    return {"number": number, "base": base, "said": str(error)[:_LONGEST_MESSAGE]}


def signature(parameters: Any) -> inspect.Signature:
    made = []
    for name, kind, optional in parameters[:_MOST_PARAMETERS]:
        default = None if optional else inspect.Parameter.empty
        made.append(
            inspect.Parameter(
                name[:_LONGEST_NAME], getattr(inspect.Parameter, kind), default=default
            )
        )
    return inspect.Signature(made)


def is_name(value: Any) -> bool:
    return isinstance(value, str) and value.isidentifier() and len(value) <= _LONGEST_NAME


def plain_name(value: Any) -> str:
    return shown(str(value), _LONGEST_NAME) or "object"


def _cut(said: str) -> str:
    return shown(said, _LONGEST_MESSAGE)
