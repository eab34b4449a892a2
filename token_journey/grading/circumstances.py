"""What an error's own message leaves out: what it means, and what a function was called with."""

from __future__ import annotations

import linecache
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Any

from torch import Tensor

from token_journey.course.implementation import frames_in
from token_journey.course.signatures import parameters
from token_journey.course.under_test import Called, noted
from token_journey.foreign import message_of, name_of_class, written
from token_journey.words import meanings as words
from token_journey.words.finding import Finding

_LONGEST = 60
_USUAL = "float32"
_ARGS = BaseException.__dict__["args"]
_MOST_PARTS, _MOST_NAMES = 4, 400
_KEYS = (str, bytes, int)
_IN_A_LINE = (Tensor, int, float, type(None))
_PLAIN = (int, float, str, bytes, type(None))


def circumstances(
    error: BaseException, function: str, line: str, folder: Path, reference: Path | None
) -> Iterator[Finding]:
    """What there is to say of an error that ended a learner's function.

    function, line: theirs that raised it, "" where they did not; folder: where their files lie;
    reference: the stage file that names parameters and axes
    """
    called = noted(error, "called", Called)
    arguments = {} if called is None or reference is None else _named(called, reference)
    in_it = called is not None and called.function == function
    if wrong_key := _wrong_key(error, arguments, in_it):
        yield wrong_key
    elif meant := words.meaning(message_of(error) or "", line):
        yield Finding(words.means, meant)
    if values := list(_described(_in_the_line(error, folder), {})):
        yield Finding(words.in_that_line, values)
    if called is not None and reference is not None:
        axes = parameters(reference).get(called.function, {})
        if values := list(_described(arguments, axes)):
            yield Finding(words.called_with, called.function, values)


def _in_the_line(error: BaseException, folder: Path) -> dict[str, Any]:
    """The tensors and numbers that the line of theirs names in which it was raised.

    Of a line that ran in a player nothing is known.
    """
    theirs = frames_in(folder, error.__traceback__)
    while theirs is not None and theirs.tb_next is not None:
        theirs = theirs.tb_next
    if theirs is None:
        return {}
    frame = theirs.tb_frame
    line = linecache.getline(frame.f_code.co_filename, theirs.tb_lineno)
    names = dict.fromkeys(re.findall(r"(?<![\w.\"'])[^\W\d]\w*", line))
    values = {name: frame.f_locals[name] for name in names if name in frame.f_locals}
    return {name: value for name, value in values.items() if type(value) in _IN_A_LINE}


def _named(called: Called, reference: Path) -> dict[str, Any]:
    """The arguments of a call, by the names that the lesson gives them."""
    names = parameters(reference).get(called.function, {})
    return {**dict(zip(names, called.args, strict=False)), **called.kwargs}


def _described(arguments: Mapping[str, Any], axes: Mapping[str, str]) -> Iterator[str]:
    for name, value in arguments.items():
        if isinstance(value, Tensor):
            dtype = str(value.dtype).removeprefix("torch.")
            dtype = "" if dtype == _USUAL else dtype
            yield words.tensor(name, axes.get(name, ""), tuple(value.shape), dtype)
        elif isinstance(value, Mapping):
            yield _dictionary(name, value)
        elif type(value) is float:
            yield words.value(name, f"{value:.6g}")
        elif _is_plain(value):
            yield words.value(name, written(value, _LONGEST))


def _is_plain(value: Any) -> bool:
    """Whether Python writes it so that it says something: no caches, no functions."""
    if type(value) in (list, tuple, set):
        return all(map(_is_plain, islice(value, 1)))
    return isinstance(value, _PLAIN)


def _dictionary(name: str, value: Mapping[Any, Any]) -> str:
    first = next(islice(value.items(), 1), None)
    if first is None:
        return words.dictionary(name, 0, "")
    example = "" if isinstance(first[1], Tensor) else f": {written(first[1], _LONGEST)}"
    return words.dictionary(name, len(value), f"{written(first[0])}{example}")


# -- keys that no dict has ---------------------------------------------------------


def _wrong_key(error: BaseException, arguments: Mapping[str, Any], in_it: bool) -> Finding | None:
    """What to say of a key that is in none of the dicts handed over, above all by its type.

    in_it: whether it was raised by the function that they were handed to, and no other
    """
    key, held = _key(error), _kinds_of_keys(arguments)
    kind = _kind(key)
    if key is None or not held:
        return None
    if kind in held.values():
        return _missing_key(key, arguments) if in_it else None
    said = [words.has_keys(name, kind) for name, kind in held.items()]
    return Finding(words.other_keys, written(key, _LONGEST), kind, said)


def _missing_key(key: Any, arguments: Mapping[str, Any]) -> Finding | None:
    """What to say of a key that no dict has, and of a name like it."""
    dicts = {name: value for name, value in arguments.items() if isinstance(value, Mapping)}
    if type(key) not in _KEYS or any(key in value for value in dicts.values()):
        return None
    for name, value in dicts.items():
        if near := _like(key, [*islice(value, _MOST_NAMES)]):
            return Finding(words.no_such_name, name, written(key), written(near))
    return Finding(words.no_such_key, written(key, _LONGEST))


def _like(key: Any, keys: list[Any]) -> str | None:
    """A name that goes on as the key begins, or is spelled nearly so."""
    if type(key) is not str or not key:
        return None
    names = [other for other in keys if type(other) is str]
    longer = [other for other in names if other.startswith(key)]
    return next(iter(longer or get_close_matches(key, names, 1, cutoff=0.8)), None)


def _key(error: BaseException) -> Any:
    given: tuple[Any, ...] = _ARGS.__get__(error)  # whatever its class says of them
    return given[0] if isinstance(error, KeyError) and len(given) == 1 else None


def _kinds_of_keys(arguments: Mapping[str, Any]) -> dict[str, str]:
    dicts = {name: value for name, value in arguments.items() if isinstance(value, Mapping)}
    return {name: _kind(next(iter(value))) for name, value in dicts.items() if value}


def _kind(key: Any) -> str:
    """A type, of a tuple with those of its parts: `tuple (bytes, bytes)`."""
    if type(key) is tuple:
        return words.tuple_of([name_of_class(part) for part in key[:_MOST_PARTS]])
    return name_of_class(key)
