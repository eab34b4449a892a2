"""A finding: what there is to say, and the values in it. It becomes a sentence when it is read."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec

Values = ParamSpec("Values")


class Finding:
    """`Finding(differences.parted, 3)`: one of the sentences of `words`, with its values."""

    def __init__(self, say: Callable[Values, str], *values: Values.args, **named: Values.kwargs):
        self._said = partial(say, *values, **named)

    @property
    def kind(self) -> str:
        """The sentence's name."""
        return self._said.func.__name__

    @property
    def values(self) -> tuple[Any, ...]:
        return (*self._said.args, *self._said.keywords.values())

    def __str__(self) -> str:
        return self._said()

    def __repr__(self) -> str:
        return f"Finding({self.kind}, {', '.join(map(repr, self.values))})"


Said = Finding | str
