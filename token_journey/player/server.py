"""What runs in the player's process: it loads stages, calls them, and answers with data.

A stage shares this process and may do to it what it likes. So nothing here protects anything;
the judge believes no answer to be more than data.
"""

from __future__ import annotations

import inspect
import io
import itertools
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from token_journey.course.borrowed import answers_imported, recorded
from token_journey.course.implementation import CannotLoad, Implementation
from token_journey.course.under_test import _is_torch_s_alone, among
from token_journey.foreign import message_of
from token_journey.guards.time_limit import time_limit
from token_journey.llama.config import ModelConfig
from token_journey.player.exchange import SPECIAL, End
from token_journey.player.protocol import PLAIN, Channel, Closed, Parcel, flat

_LONGEST_MESSAGE = 2_000
_MOST_PRINTED = 20_000
_MOST_FRAMES = 40


class FromJudge(Exception):
    """What a method of the judge's raised, on its way through a stage."""

    number: int


@dataclass
class _Question:
    """What a question handed over, and what gradients may be asked of its answer."""

    containers: dict[str, tuple[Any, Any]] = field(default_factory=dict)  # now, and as it came
    generators: list[tuple[str, torch.Generator, Tensor]] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)


class Server(End):
    """Answers one judge."""

    mine = "p"

    def __init__(self, channel: Channel):
        super().__init__(channel, weak=False)
        self._implementation: Implementation | None = None
        self._objects: dict[str, Any] = {}
        self._names: dict[int, str] = {}
        self._numbers = itertools.count()
        self._leaves: dict[str, Tensor] = {}  # the judge's tensors that gradients are asked for
        self._calls: dict[str, tuple[list[tuple[str, Tensor]], list[Tensor]]] = {}
        self._asked = [_Question()]
        self._printed = Printed()
        self._proxies: dict[str, Any] = {}
        self._chance = torch.get_rng_state()  # as the judge knows it

    def serve(self) -> None:
        """Answer until the judge is gone."""
        with redirect_stdout(self._printed), redirect_stderr(self._printed):
            while True:
                try:
                    fields = self.hear()
                    self.tell(*self.answer(fields))
                except Closed:
                    return

    # -- answering ------------------------------------------------------------

    def answer(self, fields: dict[str, Any]) -> tuple[dict[str, Any], Parcel]:
        parcel = Parcel()
        for name in fields.get("forget", ()):
            self._drop(name)
        self._asked.append(_Question())
        chance = self.take_state(fields)
        self._chance = self._chance if chance is None else chance
        nested = len(self._asked) > 2
        seconds = fields.get("seconds")
        try:
            with nullcontext() if nested or not seconds else time_limit(seconds):
                found = getattr(self, f"_do_{fields['do']}")(fields)
                answered: dict[str, Any] = {"is": self.encode(found, parcel)}
                answered |= self._aftermath(parcel)
        except BaseException as error:
            if isinstance(error, Closed):
                raise
            parcel = Parcel()
            answered = {"raised": self._raised(error)}
            try:
                answered |= self._aftermath(parcel)
            except Exception:  # what can't be told is not told
                parcel = Parcel()
        finally:
            self._asked.pop()
        return answered, parcel

    def _aftermath(self, parcel: Parcel) -> dict[str, Any]:
        """What a call changed beside what it returned."""
        fields, self._chance = self.state(parcel, self._chance)
        told: dict[str, Any] = fields
        asked = self._asked[-1]
        changed = [
            [name, self.contents(now, parcel)]
            for name, (now, before) in asked.containers.items()
            if not _same(now, before)
        ]
        if changed:
            told["containers"] = changed
        states = [
            [name, parcel.add(generator.get_state().untyped_storage())]
            for name, generator, before in asked.generators
            if not torch.equal(generator.get_state(), before)
        ]
        if states:
            told["generators"] = states
        if asked.outputs:
            name = f"c{next(self._numbers)}"
            inputs = [(n, self._leaves[n]) for n in dict.fromkeys(asked.inputs)]
            self._calls[name] = inputs, asked.outputs
            outputs = [self.tensors.name_of(t) for t in asked.outputs]
            told["graph"] = [name, [n for n, _ in inputs], outputs]
        if printed := self._printed.taken():
            told["printed"] = printed
        return told

    def _do_implementation(self, fields: dict[str, Any]) -> None:
        if self._implementation is not None:
            self._implementation.unload()
        made = _stand_ins(**fields["stand_ins"]) if fields["stand_ins"] else {}
        self._implementation = Implementation(Path(fields["folder"]), made)

    def _do_replace(self, fields: dict[str, Any]) -> None:
        """Put a function of the reference in the place of the hand-in's."""
        stage, name, shared = fields["function"]
        reference = _stand_ins([stage], fields["texts"])[stage]
        module = self._module({"stage": stage})
        setattr(module, name, among(module, reference, name, shared))

    def _do_load(self, fields: dict[str, Any]) -> None:
        self._module(fields)

    def _do_describe(self, fields: dict[str, Any]) -> Any:
        """What a name of a stage stands for: a function, or something that crosses itself."""
        found = getattr(self._module(fields), fields["name"])
        if isinstance(found, type):
            return found
        return ("function",) if callable(found) else ("value", type(found).__name__)

    def _do_call(self, fields: dict[str, Any]) -> Any:
        function = self._target(fields)
        args, kwargs = self.decode(fields["args"])
        if fields.get("profile"):
            return recorded(lambda: function(*args, **kwargs))
        return function(*args, **kwargs)

    def _do_read(self, fields: dict[str, Any]) -> Any:
        """Something of the text of a file, none of which is run here."""
        folder, stage = Path(fields["folder"]), fields["stage"]
        if fields["what"] == "imports":
            return answers_imported(folder / f"{stage}.py")
        return Implementation(folder).siblings(stage)

    def _do_get(self, fields: dict[str, Any]) -> Any:
        return getattr(self._objects[fields["of"]], fields["name"])

    def _do_set(self, fields: dict[str, Any]) -> None:
        (value,) = self.decode(fields["args"])
        setattr(self._objects[fields["of"]], fields["name"], value)

    def _do_signature(self, fields: dict[str, Any]) -> Any:
        parameters = inspect.signature(self._target(fields)).parameters.values()
        return [(p.name, p.kind.name, p.default is not p.empty) for p in parameters]

    def _do_gradients(self, fields: dict[str, Any]) -> Any:
        inputs, outputs = self._calls[fields["call"]]
        torch.set_grad_enabled(True)  # off while the judge runs its own back
        grads = self.decode(fields["args"])
        pairs = [(o, g) for o, g in zip(outputs, grads, strict=True) if g is not None]
        # Of numbers: torch imports all of sympy before it takes a gradient of more than one.
        sums = [(o * g.conj()).real.sum() if o.is_complex() else (o * g).sum() for o, g in pairs]
        leaves = [leaf for _, leaf in inputs]
        return torch.autograd.grad(sums, leaves, allow_unused=True, retain_graph=True)

    def _module(self, fields: dict[str, Any]) -> ModuleType:
        assert self._implementation is not None
        return self._implementation.module(fields["stage"])

    def _target(self, fields: dict[str, Any]) -> Any:
        found = self._objects[fields["of"]] if "of" in fields else self._module(fields)
        return getattr(found, fields["name"]) if fields.get("name") else found

    # -- what it says of itself --------------------------------------------------

    def _raised(self, error: BaseException) -> dict[str, Any]:
        folder = self._implementation.folder if self._implementation else Path()
        walked = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES * 5 :]
        frames = [
            [Path(f.filename).name, f.lineno, f.name[:200], (f.line or "")[:400]]
            for f in walked
            if Path(f.filename).parent == folder
        ]
        if isinstance(error, FromJudge):
            return {"judge_s": error.number, "frames": frames[-_MOST_FRAMES:]}
        return {
            "type": type(error).__name__[:200],
            "bases": [base.__name__[:200] for base in type(error).__mro__],
            "said": str(error) if isinstance(error, CannotLoad) else message_of(error),
            "args": self.encode(_arguments(error), Parcel()),
            "name": getattr(error, "name", None) if isinstance(error, NameError) else None,
            "frames": frames[-_MOST_FRAMES:],
            "torch_s": self._torch_s(error, folder),
            "refused": isinstance(error.__cause__ or error, PermissionError),
        }

    def _torch_s(self, error: BaseException, folder: Path) -> bool:
        """Whether it was raised by torch, with no line of the hand-in in between."""
        last = below = error.__traceback__
        while below is not None and below.tb_frame.f_code.co_filename == __file__:
            last, below = below, below.tb_next
        if last is None or not isinstance(error, Exception):
            return False
        return _is_torch_s_alone(error.with_traceback(last), folder)

    # -- values -----------------------------------------------------------------

    def encode_container(self, value: Any, parcel: Parcel) -> Any:
        for name, (held, _) in self._asked[-1].containers.items():
            if held is value:
                return ["@", name]
        return self.contents(value, parcel)

    def encode_tensor(self, value: Tensor, parcel: Parcel) -> Any:
        node = super().encode_tensor(value, parcel)
        if value.requires_grad and node[0] in "=T" and not node[1].startswith("j"):
            self._asked[-1].outputs.append(value)
        return node

    def encode_other(self, value: Any, parcel: Parcel) -> Any:
        if isinstance(value, JudgeS):
            return ["J", value._name]
        of_a_stage = type(value).__module__.startswith("_implementation_")
        if isinstance(value, Mapping) and not of_a_stage:
            pairs = dict.items(value) if isinstance(value, dict) else value.items()
            return ["d", self.items([(key, item) for key, item in pairs], parcel)]
        name = self._names.get(id(value))
        if name is None:
            name = f"o{next(self._numbers)}"
            self._objects[name], self._names[id(value)] = value, name
        if isinstance(value, type):
            return ["class", name, value.__name__, _methods(value), issubclass(value, Mapping)]
        kind = type(value)
        return ["object", name, kind.__name__, _methods(kind), self.encode(kind, parcel)]

    def decode_other(self, tag: str, rest: list[Any], depth: int) -> Any:
        if tag in ("list", "dict", "set"):
            return self._container(tag, *rest, depth=depth)
        if tag == "@":
            return self._asked[-1].containers[rest[0]][0]
        if tag == "G":
            return self._generator(*rest)
        if tag == "R":
            return self._objects[rest[0]]
        if tag == "J":
            return self._proxy(*rest)
        if tag == "config":
            return ModelConfig(**self.decode(rest[0], depth))
        if tag == "namespace":
            return SimpleNamespace(**self.decode(rest[0], depth))
        if tag == "=" and not rest[0].startswith("j"):
            tensor = self.tensors.known(rest[0])
            if tensor.requires_grad:
                self._leaves[rest[0]] = tensor
        if tag == "=" and rest[0] in self._leaves:
            self._asked[-1].inputs.append(rest[0])
        if tag == "T" and rest[6]:
            return self._leaf(rest)
        return super().decode_other(tag, rest, depth)

    def _leaf(self, rest: list[Any]) -> Tensor:
        """A tensor that gradients are asked for; what was computed at the judge's is no leaf."""
        leaf = self.tensors.tensor(rest).requires_grad_()
        name, storage, grad = rest[0], rest[1], rest[6]
        with torch.enable_grad():
            tensor = leaf if grad == 1 else leaf.clone()
        self._leaves[name] = leaf
        self._asked[-1].inputs.append(name)
        self.tensors.remember(name, tensor, storage)
        return tensor

    def _container(self, tag: str, name: str, items: Any, *, depth: int) -> Any:
        made = self.filled(tag[0], items, depth)
        self._asked[-1].containers[name] = made, made.copy()
        return made

    def _generator(self, name: str, place: int) -> torch.Generator:
        for known, generator, _ in self._asked[-1].generators:
            if known == name:
                return generator
        generator = torch.Generator()
        generator.set_state(flat(self.blobs[place]))
        self._asked[-1].generators.append((name, generator, generator.get_state()))
        return generator

    def _proxy(self, name: str, called: str, methods: list[str]) -> Any:
        """What stands for a function or an object of the judge's."""
        if name not in self._proxies:
            self._proxies[name] = _stand_in(self, name, called, methods)
        return self._proxies[name]

    def call_judge(self, name: str, method: str, args: Any, kwargs: Any) -> Any:
        parcel = Parcel()
        question = {
            "do": "method",
            "of": name,
            "method": method,
            "args": self.encode((args, kwargs), parcel),
        }
        fields = self.ask(question, parcel)
        if "raised" in fields:
            raise _from_judge(**fields["raised"])
        return self.decode(fields["is"])

    def _drop(self, name: str) -> None:
        if name in self._objects:
            del self._names[id(self._objects.pop(name))]
        self._calls.pop(name, None)
        self._leaves.pop(name, None)
        self._proxies.pop(name, None)


class JudgeS:
    """Something of the judge's, of which only named methods can be called."""

    _name: str


def _stand_in(server: Server, name: str, called: str, methods: list[str]) -> Any:
    def method(of: str) -> Callable[..., Any]:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            return server.call_judge(name, of, args, kwargs)

        call.__name__ = of
        return call

    if called == "function":

        def function(*args: Any, **kwargs: Any) -> Any:
            return server.call_judge(name, "__call__", args, kwargs)

        return function
    kind = type(called, (JudgeS,), {of: method(of) for of in methods} | {"_name": name})
    if "__next__" in methods:
        kind.__iter__ = lambda self: self  # type: ignore[attr-defined]
    return kind()


def _from_judge(number: int, base: str, said: str) -> BaseException:
    """The judge's exception, as a stage can catch it."""
    kind = getattr(__import__("builtins"), base)
    if base == "StopIteration":
        return StopIteration()
    made: type[BaseException] = type(base, (FromJudge, kind), {"number": number})
    return made(said)


def _methods(kind: type) -> list[str]:
    """What can be called of a class's instances."""
    names = [n for n in dir(kind) if n in SPECIAL or not n.startswith("_")]
    return [n for n in names if callable(inspect.getattr_static(kind, n, None)) or n in SPECIAL][
        :200
    ]


def _same(now: Any, before: Any) -> bool:
    """Whether a container holds the very objects that it held."""
    if len(now) != len(before):
        return False
    if isinstance(now, set):
        return bool(now == before)
    if isinstance(now, dict):
        pairs = zip(now.items(), before.items(), strict=True)
        return all(k is k_ and v is v_ for (k, v), (k_, v_) in pairs)
    return all(a is b for a, b in zip(now, before, strict=True))


def _arguments(error: BaseException) -> Any:
    """The exception's own arguments, where they are plain and short."""
    plain = all(type(value) in PLAIN | {bytes} for value in error.args)
    return [*error.args] if plain and len(repr(error.args)) < _LONGEST_MESSAGE else None


def _stand_ins(only: list[str], texts: dict[str, str]) -> dict[str, ModuleType]:
    """Earlier stages made from text, in a package of their own."""
    package = ModuleType(f"_stand_ins_{next(_packages)}")
    package.__path__ = []
    sys.modules[package.__name__] = package
    for name in sorted(texts):  # a stage imports earlier ones only
        module = ModuleType(f"{package.__name__}.{name}")
        module.__package__ = package.__name__
        sys.modules[module.__name__] = module
        setattr(package, name, module)
        exec(compile(texts[name], f"<{name}>", "exec"), module.__dict__)
    return {name: sys.modules[f"{package.__name__}.{name}"] for name in only}


_packages = itertools.count()


class Printed(io.TextIOBase):
    """What a stage prints; too much of it is let go."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._left = _MOST_PRINTED

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self._left > 0:
            self._lines.append(text[: self._left])
            self._left -= len(text)
        return len(text)

    def taken(self) -> str:
        found = "".join(self._lines)
        self._lines, self._left = [], _MOST_PRINTED
        return found
