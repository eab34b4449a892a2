"""What stands at the judge's side for functions, classes and objects of a player's."""

from __future__ import annotations

import inspect
from functools import cached_property
from typing import Any, Protocol

from token_journey.player.raised import signature


class Asked(Protocol):
    """Who asks the player."""

    def request(self, do: str, args: Any = None, **fields: Any) -> Any: ...

    def call(self, args: Any, **where: Any) -> Any: ...

    def set(self, of: str, name: str, value: Any) -> None: ...


class RemoteFunction:
    """A function of a module or a class, which runs in the player."""

    def __init__(self, conversation: Asked, of: str | dict[str, Any], name: str):
        self._conversation, self._of, self.__name__ = conversation, of, name
        self._owner: Any = None  # whose method it is, so that it lives as long
        self.pinned: Any = None  # what stood here before another took its place

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._conversation.call((args, kwargs), **self._where())

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None or not isinstance(self._of, str):
            return self
        bound = RemoteFunction(self._conversation, instance._name, self.__name__)
        bound._owner = instance
        return bound

    def _where(self) -> dict[str, Any]:
        if self.pinned is not None:
            return {"of": self.pinned._name}
        if isinstance(self._of, str):
            return {"of": self._of, "name": self.__name__}
        return self._of | {"name": self.__name__}

    def itself(self) -> Any:
        """The function as an object of the player's."""
        return self.pinned or self._conversation.request("get", of=self._of, name=self.__name__)

    @cached_property
    def __signature__(self) -> inspect.Signature:
        return signature(self._conversation.request("signature", **self._where()))


class RemoteType(type):
    """A learner's class: to call it makes an object in the player."""

    _name: str
    _conversation: Asked

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
        if "_signature" not in cls.__dict__:
            found = signature(cls._conversation.request("signature", of=cls._name))
            type.__setattr__(cls, "_signature", found)
        return cls.__dict__["_signature"]  # type: ignore[no-any-return]


class RemoteObject:
    """An object of a learner's class, or of any that is not data."""

    _name: str
    _conversation: Asked

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._conversation.request("get", of=self._name, name=name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._conversation.set(self._name, name, value)


class RemoteModule:
    """A stage's module, of which a check asks by name."""

    def __init__(self, conversation: Asked, stage: str):
        self._conversation = conversation
        self._where = {"stage": stage}
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
