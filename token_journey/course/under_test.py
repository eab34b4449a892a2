"""The learner's stage as a check sees it: what it calls, and what is said of the call itself."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import Tensor

from token_journey.foreign import message_of, name_of_class


class CheckFailure(AssertionError):
    """A check that does not hold; the message is for the learner."""


class StageUnderTest:
    """A learner's stage: `stage.rms_norm(x, weight, eps)` calls their function.

    Each call is watched: a missing function, other parameters, or an input
    that was changed is said in a sentence.
    """

    def __init__(self, file: Path, load: Callable[[], ModuleType]):
        self.file = file
        self.load = load

    def __getattr__(self, function: str) -> Any:
        module = self.load()
        try:
            found = getattr(module, function)
        except AttributeError:
            raise CheckFailure(
                f"{self.file.name} has no `{function}`: the lesson's names and parameters "
                "are how the checks find your work."
            ) from None
        if isinstance(found, type):
            return found
        if not callable(found):
            raise CheckFailure(f"`{function}` in {self.file.name} is not a function.")
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


def _watched(name: str, function: Callable[..., Any], folder: Path) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        before = [(t, t._version) for t in _tensors([*args, *kwargs.values()])]
        try:
            result = function(*args, **kwargs)
        except Exception as error:
            if isinstance(error, TypeError):
                _check_parameters(name, function, args, kwargs)
            if _is_torch_s_alone(error, folder):
                said = f"{name_of_class(error)}: {message_of(error) or ''}".partition("\n")[0]
                raise CheckFailure(f"`{name}` raised {said}") from error
            raise
        if result is None:
            raise CheckFailure(f"`{name}` returned None: is a `return` missing?")
        if any(t._version != version for t, version in before):
            raise CheckFailure(
                f"`{name}` changed its input: work on a new tensor "
                "(`x = x + y` makes one, `x += y` does not)."
            )
        return result

    return call


def _is_torch_s_alone(error: Exception, folder: Path) -> bool:
    """Whether a function was torch's own, `silu = F.silu`, so that no line of a file raised."""
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
        called = len(args)
        by_name = f" and {', '.join(f'{k}=…' for k in kwargs)}" if kwargs else ""
        mine = ", ".join(signature.parameters)
        raise CheckFailure(
            f"`{name}` is called with {called} value{'s' * (called != 1)}{by_name}, but yours "
            f"takes ({mine}): keep the parameters of the lesson."
        ) from None


def _tensors(values: Sequence[Any]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, Mapping) and isinstance(next(iter(value.values()), None), Tensor):
            yield from _tensors(list(value.values()))


Check = Callable[[StageUnderTest], object]
