"""The learner's stage as a check sees it: what it calls, and what is said of the call itself."""

from __future__ import annotations

import inspect
import time
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Protocol, TypeVar

from torch import Tensor

from token_journey.course.borrowed import answers_imported, functions_called
from token_journey.foreign import message_of, name_of_class
from token_journey.guards.time_limit import time_limit
from token_journey.words import calls as words

_Noted = TypeVar("_Noted")


class CheckFailure(AssertionError):
    """A check that does not hold; the message is for the learner."""


@dataclass(frozen=True)
class Called:
    """A call of a learner's function by a check, as an error that ended it carries it along."""

    function: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


def note(error: BaseException, name: str, value: object) -> None:
    """Let an error carry something along, if its class lets it."""
    with suppress(Exception):
        object.__setattr__(error, f"_token_journey_{name}", value)


def noted(error: BaseException, name: str, kind: type[_Noted]) -> _Noted | None:
    """What an error carries along under a name, if it is of this very type."""
    try:
        value = object.__getattribute__(error, f"_token_journey_{name}")
    except BaseException:  # a property of theirs may raise what it likes
        return None
    return value if type(value) is kind else None


class StageUnderTest:
    """A learner's stage: `stage.rms_norm(x, weight, eps)` calls their function.

    Each call is watched: a missing function, other parameters, or an input
    that was changed is said in a sentence.
    """

    def __init__(self, file: Path, load: Callable[[], ModuleType]):
        self.file = file
        self.load = load
        self.asked: list[str] = []  # the names of its functions that were asked for

    @property
    def clock(self) -> Callable[[], float]:
        """What its seconds are counted by."""
        return time.thread_time

    def trial(self, seconds: float) -> AbstractContextManager[None]:
        """Around one check: what it does of the stage ends within `seconds`."""
        return time_limit(seconds)

    @contextmanager
    def with_function_of(
        self, reference: Stages, name: str, shared: Collection[str]
    ) -> Iterator[StageUnderTest]:
        """The same stage with the reference's function of that name in its place.

        shared: the names that both stages define
        """
        module = self.load()
        mine = getattr(module, name)
        setattr(module, name, among(module, reference.module(self.file.stem), name, shared))
        try:
            yield self
        finally:
            setattr(module, name, mine)

    def imported_answers(self) -> set[str]:
        """The libraries that hold whole answers and that the stage file names."""
        return answers_imported(self.file)

    def operators_called(self, call: Callable[[], Any]) -> set[str]:
        """The names of torch's operators that the stage runs meanwhile."""
        return functions_called(call)

    def __getattr__(self, function: str) -> Any:
        module = self.load()
        self.asked.append(function)
        try:
            found = getattr(module, function)
        except AttributeError:
            raise CheckFailure(words.has_no(self.file.name, function)) from None
        if isinstance(found, type):
            return found
        if not callable(found):
            raise CheckFailure(words.no_function(self.file.name, function))
        return _watched(function, found, self.file.parent)


class CalledAfresh(StageUnderTest):
    """A stage that is loaded anew for every call, so that none finds what another left behind."""

    def __getattr__(self, function: str) -> Any:
        found = super().__getattr__(function)
        if isinstance(found, type):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            return StageUnderTest.__getattr__(self, function)(*args, **kwargs)

        return call


def among(module: ModuleType, reference: ModuleType, name: str, shared: Iterable[str]) -> Any:
    """A function of the reference that calls the learner's others, as their own would."""
    right = getattr(reference, name)
    if not isinstance(right, FunctionType):
        return right
    others = {other: getattr(module, other) for other in shared if other != name}
    found = FunctionType(right.__code__, right.__globals__ | others, name)
    found.__defaults__, found.__kwdefaults__ = right.__defaults__, right.__kwdefaults__
    return found


def _watched(name: str, function: Callable[..., Any], folder: Path) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        before = [(t, t._version) for t in _tensors([*args, *kwargs.values()])]
        try:
            result = function(*args, **kwargs)
        except Exception as error:
            note(error, "called", Called(name, args, kwargs))
            if isinstance(error, TypeError):
                _check_parameters(name, function, args, kwargs)
            if _is_torch_s_alone(error, folder):
                said = f"{name_of_class(error)}: {message_of(error) or ''}".partition("\n")[0]
                raise CheckFailure(words.raised(name, said)) from error
            raise
        if result is None:
            raise CheckFailure(words.returned_none(name))
        if any(t._version != version for t, version in before):
            raise CheckFailure(words.changed_its_input(name))
        return result

    return call


def _is_torch_s_alone(error: Exception, folder: Path) -> bool:
    """Whether a function was torch's own, `silu = F.silu`, so that no line of a file raised."""
    try:
        told = object.__getattribute__(error, "told")
    except AttributeError:
        told = None
    if told is not None:  # by a player, which saw where it came from
        return bool(told.torch_s)
    assert error.__traceback__ is not None
    inside = error.__traceback__.tb_next
    if inside is None:  # written in C
        return True
    if not inside.tb_frame.f_globals.get("__name__", "").startswith("torch."):
        return False
    walked = traceback.extract_tb(inside)
    return not any(Path(frame.filename).parent == folder for frame in walked)


def _check_parameters(
    name: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a builtin such as torch.softmax has none to look at
        return
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        mine = ", ".join(signature.parameters)
        raise CheckFailure(words.other_parameters(name, len(args), tuple(kwargs), mine)) from None


def _tensors(values: Sequence[Any]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, Mapping) and isinstance(next(iter(value.values()), None), Tensor):
            yield from _tensors(list(value.values()))


class Stages(Protocol):
    """The stage files of one folder, wherever they are run."""

    folder: Path

    def module(self, stage: str) -> Any:
        """The stage's module, run once. Raises CannotLoad."""

    def missing(self, stage: str) -> str | None:
        """What to say where no file of the folder can be run as this stage."""

    def under_test(self, stage: str) -> StageUnderTest:
        """The stage as a check sees it."""

    def called_afresh(self, stage: str) -> AbstractContextManager[StageUnderTest]:
        """The stage, loaded anew for every call."""

    def standing_in(self, reference: Any, names: Iterable[str]) -> Stages:
        """This folder with the reference's stages in the place of these."""

    def siblings(self, stage: str) -> tuple[str, ...]:
        """The stages that a stage's file imports from beside itself, directly or through others."""

    def apart(self, left: set[str]) -> AbstractContextManager[None]:
        """Around what runs these stages: nobody else meets what they change.

        left: gets the names of what can't be put back
        """

    def frames(self, error: BaseException) -> list[traceback.FrameSummary]:
        """The part of a traceback that lies in this folder, outermost first."""

    def unload(self) -> None:
        """Forget every module that was loaded."""


Check = Callable[[StageUnderTest], object]
