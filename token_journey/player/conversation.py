"""The judge's end of a conversation: what it asks of a player, and what it makes of answers."""

from __future__ import annotations

import inspect
import itertools
import math
import sys
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from token_journey.course.implementation import CannotLoad
from token_journey.course.under_test import (
    CheckFailure,
)
from token_journey.foreign import shown
from token_journey.guards.time_limit import OutOfTime, Patience, WaitedTooLong
from token_journey.llama.config import ModelConfig
from token_journey.player.exchange import SPECIAL, End
from token_journey.player.objects import RemoteFunction, RemoteObject, RemoteType
from token_journey.player.protocol import (
    MOST_A_CHECK,
    Channel,
    Closed,
    NotData,
    Parcel,
    flat,
)
from token_journey.player.raised import Told, frames_of, is_name, plain_name, rebuilt, told
from token_journey.words.calls import changed_its_input

_MOST_METHODS, _MOST_PRINTED = 200, 20_000
_GRACE = 0.5  # seconds in which a player may say itself where it was stopped
SECONDS_OUTSIDE = 10.0  # for what is asked outside of a check, such as reading a file


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

    def __init__(
        self,
        channel: Channel,
        kill: Callable[[str], str],
        clock: Callable[[], float],
        spare: bool = False,
    ):
        """A conversation with one player.

        kill:  end it; is told what was wrong, and returns a sentence for the learner
        clock: the seconds that it has computed
        spare: nothing is lost with what it keeps
        """
        super().__init__(channel, weak=True)
        self.spare = spare
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
        self.begin(SECONDS_OUTSIDE)
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
            answered = self.ask(question, parcel)
            found, error = self._settled(answered)
        except (NotData, Closed) as wrong:
            raise self._end(str(wrong)) from None
        except Exception as wrong:  # whatever nonsense makes of what reads it
            raise self._end("it answered with something that is no data") from wrong
        except BaseException:  # the judge's time limit
            self._end("")
            raise
        finally:
            self._calls.pop()
        changed = self.tensors.let_go_of_violated()
        if error is not None:
            raise error from None
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

    def _settled(self, answered: dict[str, Any]) -> tuple[Any, BaseException | None]:
        """What an answer says came of a call, or was raised, with all that it changed beside."""
        printed = answered.get("printed")
        if isinstance(printed, str):
            sys.stdout.write(shown(printed, _MOST_PRINTED))
        found = self.decode(answered["is"]) if "is" in answered else None
        if "graph" in answered:
            self._connect(*answered["graph"])
        for name, (tag, items) in answered.get("containers", ()):
            self._refill(self._calls[-1].containers[name], self.filled(tag, items, 0))
        for name, place in answered.get("generators", ()):
            self._calls[-1].generators[name].set_state(flat(self.blobs[place]))
        before = torch.get_rng_state() if "chance" in answered else None
        chance = self.take_state(answered)
        if chance is not None and before is not None:
            self._known_chance = chance
            self._undo.append(lambda: torch.set_rng_state(before))
        return found, self._error(answered["raised"]) if "raised" in answered else None

    def _error(self, told: dict[str, Any]) -> BaseException:
        if "judge_s" not in told:
            return rebuilt(told)
        error = self._raised[told["judge_s"]]
        error.__dict__["told"] = Told(frames_of(told), torch_s=False)
        return error

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

    def answer(self, fields: dict[str, Any]) -> tuple[dict[str, Any], Parcel]:
        """Run a method of the judge's that a stage was given, and no other."""
        ours, methods = self._shown[fields["of"]]
        method = fields["method"]
        if fields["do"] != "method" or method not in methods:
            raise NotData("it asked for what it was not given")
        args, kwargs = self.decode(fields["args"])
        parcel = Parcel()
        try:
            call = ours if method == "__call__" else getattr(ours, method)
            return {"is": self.encode(call(*args, **kwargs), parcel)}, parcel
        except Exception as error:
            number = len(self._raised)
            self._raised[number] = error
            return {"raised": told(number, error)}, Parcel()

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
            return ["config", self.contents(vars(value), parcel)]
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
        return ["G", name, parcel.add(value.get_state().untyped_storage())]

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

    def decode_other(self, tag: str, rest: list[Any], depth: int) -> Any:
        if tag == "@":
            return self._calls[-1].containers[rest[0]]
        if tag == "J":
            return self._shown[rest[0]][0]
        if tag == "class":
            return self._class(*rest)
        if tag == "object":
            return self._object(*rest, depth=depth)
        return super().decode_other(tag, rest, depth)

    def _class(self, name: str, called: str, methods: list[str], mapping: bool) -> RemoteType:
        found = self._proxies.get(name)
        if isinstance(found, RemoteType):
            return found
        inside: dict[str, Any] = {"_name": name, "_conversation": self}
        for method in methods[:_MOST_METHODS]:
            if method in SPECIAL or (is_name(method) and not method.startswith("_")):
                inside[method] = RemoteFunction(self, name, method)
        made = RemoteType(plain_name(called), (RemoteObject,), inside)
        if mapping is True:
            Mapping.register(made)  # type: ignore[arg-type]
        self._keep(name, made)
        return made

    def _object(
        self, name: str, called: str, methods: list[str], kind: Any, *, depth: int
    ) -> RemoteObject:
        found = self._proxies.get(name)
        if isinstance(found, RemoteObject):
            return found
        made: RemoteObject = object.__new__(self.decode(kind, depth))
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

    # -- one check after the other ----------------------------------------------------

    def begin(self, seconds: float, wall: float = math.inf) -> None:
        """Before a check, for which the player may compute so long, and take at most `wall`."""
        self.busy, self.began = True, time.monotonic()
        self.channel.left = MOST_A_CHECK
        self._patience = Patience(seconds, self._clock, wall)

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


def _fill(ours: Any, content: Any) -> None:
    ours.clear()
    if isinstance(ours, list):
        ours.extend(content)
    else:
        ours.update(content)
