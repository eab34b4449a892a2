"""The stage as the judge sees it: what a check calls here runs in a player.

A `RemoteImplementation` takes the place of an `Implementation`: its modules hand out functions,
classes and values that behave for a check as those of a module of this process do.
"""

from __future__ import annotations

import builtins
import inspect
import itertools
import sys
import time
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from traceback import FrameSummary
from types import SimpleNamespace
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from token_journey.course.borrowed import operators
from token_journey.course.implementation import CannotLoad
from token_journey.course.stage import Stage, not_there
from token_journey.course.under_test import (
    CalledAfresh,
    CheckFailure,
    Stages,
    StageUnderTest,
    changed_its_input,
)
from token_journey.foreign import shown
from token_journey.guards.time_limit import OutOfTime, Patience, WaitedTooLong, slowness
from token_journey.llama.config import ModelConfig
from token_journey.player.exchange import SPECIAL, End
from token_journey.player.protocol import (
    MOST_A_CHECK,
    Channel,
    Closed,
    NotData,
    Parcel,
)

_LONGEST_MESSAGE, _LONGEST_NAME, _MOST_FRAMES = 2_000, 100, 40
_MOST_METHODS, _MOST_PARAMETERS, _MOST_PRINTED = 200, 50, 20_000
_GRACE = 0.5  # seconds in which it may say itself where it was stopped
# For all checks of a stage, by the clock on the wall of an ordinary machine.
SECONDS_A_STAGE = 60.0
_SECONDS_OUTSIDE = 10.0  # for what is asked outside of a check, such as reading a file
_OURS: dict[str, type[BaseException]] = {
    "OutOfTime": OutOfTime,
    "WaitedTooLong": WaitedTooLong,
    "CannotLoad": CannotLoad,
    "CheckFailure": CheckFailure,
}


class Ended(CannotLoad):
    """The player is gone, or what it sent was no data; the message says what came of it."""


@dataclass
class _Call:
    """What a question handed to the player, by the names that an answer may use."""

    containers: dict[str, Any] = field(default_factory=dict)
    generators: dict[str, torch.Generator] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)  # tensors that gradients are asked for


class Conversation(End):
    """The judge's end. What comes is data; whatever else comes ends the player."""

    mine = "j"

    def __init__(self, channel: Channel, kill: Callable[[str], str], clock: Callable[[], float]):
        """A conversation with one player.

        kill:  end it; is told what was wrong, and returns a sentence for the learner
        clock: the seconds that it has computed
        """
        super().__init__(channel, weak=True)
        channel.watched_by(self._look_at_the_clock)
        self._kill, self._clock = kill, clock
        self.alive = True
        self._numbers = itertools.count()
        self._proxies: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()
        self._forgotten: list[str] = []
        self._shown: dict[str, tuple[Any, frozenset[str]]] = {}  # ours that a stage may call
        self._shown_names: dict[int, str] = {}
        self._raised: dict[int, BaseException] = {}
        self._calls: list[_Call] = []
        self._known_chance: Tensor | None = None
        self._undo: list[Callable[[], None]] = []
        self._anchor = torch.empty(0, requires_grad=True)
        self.recorded: list[str] | None = None
        self.begin(_SECONDS_OUTSIDE)
        self.busy = False

    # -- asking ---------------------------------------------------------------

    def request(self, do: str, args: Any = None, **fields: Any) -> Any:
        """Ask the player, and return or raise what came of it."""
        if not self.alive:
            raise Ended("The process that ran it is gone.")
        parcel = Parcel()
        self._calls.append(_Call())
        state, self._known_chance = self.state(parcel, self._known_chance)
        question = {"do": do, "seconds": max(self._patience.left, 0.01), **state, **fields}
        try:
            if args is not None:
                question["args"] = self.encode(args, parcel)
                self.tensors.protect(parcel.kept)
            question["forget"], self._forgotten = self._forgotten, []
            answered, blobs = self.ask(question, parcel)
            found = self._settled(answered, blobs)
        except (NotData, Closed) as error:
            raise self._end(str(error)) from None
        except Exception as error:  # whatever nonsense makes of what reads it
            raise self._end("it answered with something that is no data") from error
        except BaseException:  # the judge's time limit
            self._end("")
            raise
        finally:
            self._calls.pop()
        changed, self.tensors.violated = self.tensors.violated, set()
        if isinstance(found, _Failed):
            raise found.error from None
        if changed and found is not None:
            called = plain_name(fields.get("name") or "It")
            raise CheckFailure(changed_its_input(called))
        return found

    def set(self, of: str, name: str, value: Any) -> None:
        """Put something in the place of an attribute of the player's."""
        self.request("set", (value,), of=of, name=name)

    def call(self, args: Any, **where: Any) -> Any:
        if self.recorded is None:
            return self.request("call", args, **where)
        found, names = self.request("call", args, profile=True, **where)
        self.recorded += names
        return found

    def end(self) -> None:
        if self.alive:
            self._end("")

    def _end(self, why: str) -> Ended:
        self.alive = False
        self.channel.close()
        return Ended(self._kill(why))

    def _settled(self, answered: dict[str, Any], blobs: list[Tensor]) -> Any:
        """What an answer says came of a call, with all that it changed beside."""
        printed = answered.get("printed")
        if isinstance(printed, str):
            sys.stdout.write(shown(printed, _MOST_PRINTED))
        found = self.decode(answered["is"], blobs) if "is" in answered else None
        if "graph" in answered:
            self._connect(*answered["graph"])
        for name, (tag, items) in answered.get("containers", ()):
            self._refill(self._calls[-1].containers[name], self.filled(tag, items, blobs, 0))
        for name, place in answered.get("generators", ()):
            self._calls[-1].generators[name].set_state(blobs[place])
        before = torch.get_rng_state() if "chance" in answered else None
        chance = self.take_state(answered, blobs)
        if chance is not None and before is not None:
            self._known_chance = chance
            self._undo.append(lambda: torch.set_rng_state(before))
        if "raised" in answered:
            return _Failed(self._rebuilt(answered["raised"]))
        return found

    def _refill(self, ours: Any, theirs: Any) -> None:
        if type(ours) is not type(theirs):
            raise NotData("it answered with something that is no data")
        before = ours.copy()
        if isinstance(ours, dict) and any(
            isinstance(value, Tensor) and theirs.get(key, value) is not value
            for key, value in ours.items()
        ):  # numbers that are expected may be computed from it
            raise NotData("it put other tensors in the place of those that it was given")
        self._undo.append(lambda: _fill(ours, before))
        _fill(ours, theirs)

    def _connect(self, call: str, inputs: list[str], outputs: list[str]) -> None:
        """Let gradients of what a call returned be asked of the player."""
        if not set(inputs) <= self._calls[-1].asked:
            raise NotData("it named a gradient that nobody asked for")
        given = [self.tensors.known(name) for name in inputs]
        made = [self.tensors.known(name) for name in dict.fromkeys(outputs)]
        places = [outputs.index(name) for name in dict.fromkeys(outputs)]
        if any(tensor.requires_grad for tensor in made):
            raise NotData("it named a gradient twice")
        with torch.enable_grad():
            _Gradients.apply(  # type: ignore[no-untyped-call]
                self, call, len(outputs), places, made, self._anchor, *given
            )
        for name in outputs:
            self.tensors.refresh(name)

    # -- answering --------------------------------------------------------------

    def answer(self, fields: dict[str, Any], blobs: list[Tensor]) -> tuple[dict[str, Any], Parcel]:
        """Run a method of the judge's that a stage was given, and no other."""
        ours, methods = self._shown[fields["of"]]
        method = fields["method"]
        if fields["do"] != "method" or method not in methods:
            raise NotData("it asked for what it was not given")
        args, kwargs = self.decode(fields["args"], blobs)
        parcel = Parcel()
        try:
            call = ours if method == "__call__" else getattr(ours, method)
            return {"is": self.encode(call(*args, **kwargs), parcel)}, parcel
        except Exception as error:
            number = len(self._raised)
            self._raised[number] = error
            return {"raised": _told(number, error)}, Parcel()

    # -- values -----------------------------------------------------------------

    def encode_container(self, value: Any, parcel: Parcel) -> Any:
        if not self._calls:
            return self.contents(value, parcel)
        for name, held in self._calls[-1].containers.items():
            if held is value:
                return ["@", name]
        name = f"k{next(self._numbers)}"
        tag, items = self.contents(value, parcel)
        self._calls[-1].containers[name] = value
        return [{"l": "list", "d": "dict", "s": "set"}[tag], name, items]

    def encode_tensor(self, value: Tensor, parcel: Parcel) -> Any:
        node = super().encode_tensor(value, parcel)
        if value.requires_grad and node[0] in "=T":
            self._calls[-1].asked.add(node[1])
        return node

    def encode_other(self, value: Any, parcel: Parcel) -> Any:
        if isinstance(value, RemoteFunction):
            value = value.itself()
        if isinstance(value, RemoteObject | RemoteType):
            return ["R", value._name]
        if isinstance(value, torch.Generator):
            return self._generator(value, parcel)
        if isinstance(value, ModelConfig):
            return ["config", self.contents(asdict(value), parcel)]
        if isinstance(value, SimpleNamespace):
            return ["namespace", self.contents(vars(value), parcel)]
        if is_dataclass(value) and not isinstance(value, type):
            named = {known.name: getattr(value, known.name) for known in fields(value)}
            return ["namespace", self.contents(named, parcel)]
        if isinstance(value, Mapping):
            return self.encode_container(dict(value), parcel)
        return self._show(value)

    def _generator(self, value: torch.Generator, parcel: Parcel) -> list[Any]:
        name = f"g{id(value)}"
        self._calls[-1].generators[name] = value
        return ["G", name, parcel.add(value.get_state().numpy())]

    def _show(self, value: Any) -> list[Any]:
        """Let a stage call a function or the public methods of an object, and nothing else."""
        kind = type(value)
        if inspect.isroutine(value) or isinstance(value, type):
            called, methods = "function", ["__call__"]
        elif hasattr(kind, "__next__"):
            called, methods = kind.__name__, ["__next__"]
        elif not kind.__module__.startswith("_implementation_"):
            raise TypeError(f"a {kind.__name__} can't be handed to a player")
        else:
            named = [name for name in dir(kind) if name in SPECIAL or not name.startswith("_")]
            called = kind.__name__
            methods = [name for name in named if callable(getattr(kind, name))]
        name = self._shown_names.get(id(value))
        if name is None:
            name = f"f{next(self._numbers)}"
            self._shown_names[id(value)] = name
            self._shown[name] = value, frozenset(methods)
        return ["J", name, called, methods]

    def decode_other(self, tag: str, rest: list[Any], blobs: list[Tensor], depth: int) -> Any:
        if tag == "@":
            return self._calls[-1].containers[rest[0]]
        if tag == "J":
            return self._shown[rest[0]][0]
        if tag == "class":
            return self._class(*rest)
        if tag == "object":
            return self._object(*rest, blobs=blobs, depth=depth)
        return super().decode_other(tag, rest, blobs, depth)

    def _class(self, name: str, called: str, methods: list[str], mapping: bool) -> RemoteType:
        found = self._proxies.get(name)
        if isinstance(found, RemoteType):
            return found
        inside: dict[str, Any] = {"_name": name, "_conversation": self}
        for method in methods[:_MOST_METHODS]:
            if method in SPECIAL or (_is_name(method) and not method.startswith("_")):
                inside[method] = RemoteFunction(self, name, method)
        made = RemoteType(plain_name(called), (RemoteObject,), inside)
        for method in inside.keys() - {"_name", "_conversation"}:
            inside[method].owner = weakref.ref(made)
        if mapping is True:
            Mapping.register(made)  # type: ignore[arg-type]
        self._keep(name, made)
        return made

    def _object(
        self, name: str, called: str, methods: list[str], kind: Any, *, blobs: Any, depth: int
    ) -> RemoteObject:
        found = self._proxies.get(name)
        if isinstance(found, RemoteObject):
            return found
        made: RemoteObject = object.__new__(self.decode(kind, blobs, depth))
        object.__setattr__(made, "_name", name)
        self._keep(name, made)
        return made

    def _keep(self, name: str, made: Any) -> None:
        if not isinstance(name, str) or name in self._proxies:
            raise NotData("it named an object twice")
        self._proxies[name] = made
        if name in self._forgotten:  # it came again before the player was told
            self._forgotten.remove(name)
        weakref.finalize(made, self._forgotten_now, name).atexit = False

    def _forgotten_now(self, name: str) -> None:
        self._forgotten.append(name)

    # -- exceptions ---------------------------------------------------------------

    def _rebuilt(self, told: dict[str, Any]) -> BaseException:
        """The exception that a player tells of, of the same kind and with the same words."""
        if "judge_s" in told:
            return self._raised[told["judge_s"]]
        called, said = told["type"], told["said"]
        if called == "KeyboardInterrupt":  # only a person at the judge's own keyboard makes one
            told["bases"] = ["SystemExit"]
        if called in _OURS:
            error: BaseException = _OURS[called](_cut(said or ""))
        else:
            error = _exception(called, told["bases"], said, told["args"])
        if isinstance(error, NameError) and _is_name(told["name"]):
            error.name = told["name"]
        error.__dict__["told"] = Told(
            tuple(_frame(*frame) for frame in told["frames"][-_MOST_FRAMES:]),
            told["torch_s"] is True,
        )
        return error

    # -- one check after the other ----------------------------------------------------

    def begin(self, seconds: float) -> None:
        """Before a check, for which the player may compute so long."""
        self.busy = True
        self.channel.left = MOST_A_CHECK
        self._patience = Patience(seconds, self._clock)

    def _look_at_the_clock(self) -> None:
        """A player that does not end by itself is ended a little later."""
        if self._patience.left < -_GRACE:
            raise WaitedTooLong if self._patience.waited else OutOfTime

    def settle(self) -> None:
        """After a check: what it was shown is called no more, and what was changed is put back."""
        self.busy = False
        self.tensors.let_go()
        for undo in reversed(self._undo):
            undo()
        self._forgotten += self._shown
        for kept in (self._undo, self._shown, self._shown_names, self._raised):
            kept.clear()


class Told:
    """What a player says of an exception: the learner's own frames, and whether torch raised it."""

    def __init__(self, frames: tuple[FrameSummary, ...], torch_s: bool):
        self.frames, self.torch_s = frames, torch_s


class _Failed:
    def __init__(self, error: BaseException):
        self.error = error


class _Gradients(Function):
    """Connects what a call returned with what it was given, by way of the player."""

    @staticmethod
    def forward(
        ctx: Any,
        conversation: Conversation,
        call: str,
        count: int,
        places: list[int],
        made: list[Tensor],
        *given: Tensor,
    ) -> tuple[Tensor, ...]:
        ctx.conversation, ctx.call, ctx.count, ctx.places = conversation, call, count, places
        ctx.like = [(tensor.shape, tensor.dtype) for tensor in given[1:]]
        ctx.set_materialize_grads(False)
        ctx.last = _Last()
        weakref.finalize(ctx.last, conversation._forgotten_now, call).atexit = False
        return tuple(made)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Any, ...]:
        asked: list[Tensor | None] = [None] * ctx.count
        for place, grad in zip(ctx.places, grads, strict=True):
            asked[place] = grad
        found = ctx.conversation.request("gradients", tuple(asked), call=ctx.call)
        for grad, (shape, dtype) in zip(found, ctx.like, strict=True):
            if grad is not None and (grad.shape, grad.dtype) != (shape, dtype):
                raise RuntimeError("its gradient is of another shape")
        return None, None, None, None, None, None, *found


class _Last:
    """Goes when the last that needs a call's gradients has gone."""


class RemoteFunction:
    """A function of a module or a class, which runs in the player."""

    def __init__(self, conversation: Conversation, of: str | dict[str, Any], name: str):
        self._conversation, self._of, self.__name__ = conversation, of, name
        self.owner: Callable[[], Any] = lambda: None
        self.pinned: Any = None  # what stood here before another took its place

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._conversation.call((args, kwargs), **self._where())

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None or not isinstance(self._of, str):
            return self
        return RemoteFunction(self._conversation, instance._name, self.__name__)._kept_by(instance)

    def _kept_by(self, instance: Any) -> RemoteFunction:
        self.owner = lambda: instance
        return self

    def _where(self) -> dict[str, Any]:
        if self.pinned is not None:
            return {"of": self.pinned._name}
        if isinstance(self._of, str):
            return {"of": self._of, "name": self.__name__}
        return self._of | {"name": self.__name__}

    def itself(self) -> Any:
        """The function as an object of the player's."""
        return self.pinned or self._conversation.request("get", of=self._of, name=self.__name__)

    @property
    def __signature__(self) -> inspect.Signature:
        return _signature(self._conversation.request("signature", **self._where()))


class RemoteType(type):
    """A learner's class: to call it makes an object in the player."""

    _name: str
    _conversation: Conversation

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls._conversation.call((args, kwargs), of=cls._name)

    def __setattr__(cls, name: str, value: Any) -> None:
        before = cls.__dict__.get(name)
        if isinstance(before, RemoteFunction) and before.pinned is None:
            before.pinned = before.itself()
        cls._conversation.set(cls._name, name, value)
        type.__setattr__(cls, name, value)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return cls._conversation.request("get", of=cls._name, name=name)

    @property
    def __signature__(cls) -> inspect.Signature:
        return _signature(cls._conversation.request("signature", of=cls._name))


class RemoteObject:
    """An object of a learner's class, or of any that is not data."""

    _name: str
    _conversation: Conversation

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._conversation.request("get", of=self._name, name=name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._conversation.set(self._name, name, value)


class RemoteModule:
    """A stage's module, of which a check asks by name."""

    def __init__(self, conversation: Conversation, number: int, stage: str):
        self._conversation = conversation
        self._where = {"number": number, "stage": stage}
        self._found: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in self._found:
            self._found[name] = self._described(name)
        return self._found[name]

    def _described(self, name: str) -> Any:
        found = self._conversation.request("describe", **self._where, name=name)
        if isinstance(found, RemoteType):
            return found
        if found[0] == "function":
            return RemoteFunction(self._conversation, self._where, name)
        return object()  # no function: that is all a check wants to know


def _exception(called: Any, bases: list[Any], said: Any, args: Any) -> BaseException:
    """An exception of a builtin kind, or of one that is called as the learner's own."""
    kinds = (getattr(builtins, base, None) for base in bases if isinstance(base, str))
    known = next(k for k in kinds if isinstance(k, type) and issubclass(k, BaseException))
    message = None if said is None else _cut(said)
    if known.__name__ == called and isinstance(args, list):
        try:
            error = known(*(_cut(a) if isinstance(a, str) else a for a in args))
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


def _told(number: int, error: Exception) -> dict[str, Any]:
    kinds = [kind.__name__ for kind in type(error).__mro__]
    base = next(name for name in kinds if isinstance(getattr(builtins, name, None), type))
    return {"number": number, "base": base, "said": str(error)[:_LONGEST_MESSAGE]}


def _signature(parameters: Any) -> inspect.Signature:
    made = []
    for name, kind, optional in parameters[:_MOST_PARAMETERS]:
        default = None if optional else inspect.Parameter.empty
        made.append(
            inspect.Parameter(
                name[:_LONGEST_NAME], getattr(inspect.Parameter, kind), default=default
            )
        )
    return inspect.Signature(made)


def _fill(ours: Any, content: Any) -> None:
    ours.clear()
    if isinstance(ours, list):
        ours.extend(content)
    else:
        ours.update(content)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value.isidentifier() and len(value) <= _LONGEST_NAME


def plain_name(value: Any) -> str:
    return shown(str(value), _LONGEST_NAME) or "object"


def _cut(said: str) -> str:
    return shown(said, _LONGEST_MESSAGE)


class RemoteStage(StageUnderTest):
    """A stage in a player, as a check sees it."""

    implementation: RemoteImplementation

    @contextmanager
    def trial(self, seconds: float) -> Iterator[None]:
        """Around one check; what the player may compute in it is counted from here."""
        self.implementation.begin(seconds)
        try:
            with super().trial(seconds + 2 * _GRACE):
                yield
        finally:
            self.implementation.settle()

    @contextmanager
    def with_function_of(
        self, reference: Stages, name: str, shared: Collection[str]
    ) -> Iterator[StageUnderTest]:
        """The same stage with the reference's function in its place, in a player of its own."""
        with self.implementation.with_function_of(reference, self.file.stem, name, shared) as other:
            yield other

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
        return SECONDS_A_STAGE * slowness() - self._taken


class Starter(Protocol):
    """Who starts players."""

    def start(self, folder: Path) -> Conversation:
        """A conversation with a new player, which may read this folder."""

    def reader(self, folder: Path) -> Conversation:
        """One with a player that runs nothing of the folder, and only reads it."""


class RemoteImplementation:
    """The stage files of one folder, in a player; `stand_ins` are earlier stages as text."""

    _numbers = itertools.count()

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
        self._number = -1
        self._modules: dict[str, RemoteModule] = {}
        self._seconds = _SECONDS_OUTSIDE
        self._together = together or Together()

    def module(self, stage: str) -> Any:
        """The stage's module; raises CannotLoad as `Implementation` does, or Ended."""
        if missing := self.missing(stage):
            raise CannotLoad(missing)
        conversation = self._running()
        if stage not in self._modules:
            conversation.request("load", number=self._number, stage=stage)
            self._modules[stage] = RemoteModule(conversation, self._number, stage)
        return self._modules[stage]

    def missing(self, stage: str) -> str | None:
        """What to say where no file of the folder can be run as this stage."""
        return self._refusal or not_there(self.folder, Stage(stage))

    def _running(self) -> Conversation:
        if self._conversation is None or not self._conversation.alive:
            self._conversation = self._players.start(self.folder)
            self._conversation.begin(self._seconds)
            self.load_afresh()
        return self._conversation

    def load_afresh(self) -> None:
        """Forget all modules of this folder in the player."""
        conversation = self._running()
        self._modules.clear()
        self._number = next(self._numbers)
        conversation.request(
            "implementation",
            number=self._number,
            folder=str(self.folder),
            stand_ins=self._stand_ins,
        )

    def under_test(self, stage: str) -> RemoteStage:
        """The stage as a check sees it."""
        found = RemoteStage(self.folder / f"{stage}.py", lambda: self.module(stage))
        found.implementation = self
        return found

    @contextmanager
    def called_afresh(self, stage: str) -> Iterator[StageUnderTest]:
        """The stage, loaded anew for every call, in a player that ends afterwards."""
        other = self._another(self._stand_ins)

        def load() -> Any:
            other.load_afresh()
            return other.module(stage)

        found = _RemoteAfresh(self.folder / f"{stage}.py", load)
        found.implementation = other
        try:
            yield found
        finally:
            other.unload()

    @contextmanager
    def with_function_of(
        self, reference: Stages, stage: str, name: str, shared: Collection[str]
    ) -> Iterator[StageUnderTest]:
        other = self._another(self._stand_ins)
        try:
            other.module(stage)
            texts = _texts(reference, [stage])
            other._running().request(
                "replace", number=other._number, texts=texts, function=[stage, name, [*shared]]
            )
            yield other.under_test(stage)
        finally:
            other.unload()

    def standing_in(self, reference: Stages, names: Iterable[str]) -> RemoteImplementation:
        """This folder with the reference's stages in the place of these."""
        stand_ins = {"only": [*names], "texts": _texts(reference, names)}
        return self._another(stand_ins)

    def _another(self, stand_ins: Mapping[str, Any]) -> RemoteImplementation:
        """The same folder in another player, on the same account of seconds."""
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
        reader.begin(_SECONDS_OUTSIDE)
        return reader.request("read", what=what, folder=str(self.folder), stage=stage)

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
            self._conversation.begin(seconds)

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
