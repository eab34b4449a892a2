"""What a learner's code changes for the whole process is put back after every check."""

from __future__ import annotations

import builtins
import math
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import ExitStack, contextmanager
from functools import partial
from operator import is_
from types import ModuleType
from typing import Any

import pytest
import torch

# Whose names must mean the same for everybody.
_NAMES: tuple[Any, ...] = (
    *(builtins, sys, os, math, random, threading, warnings, pytest),
    *(torch, torch.Tensor, torch.nn, torch.nn.functional, torch.linalg, torch.special),
)
# Read and written by these, which were found before anybody could replace them.
_SETTINGS: tuple[tuple[Callable[[], Any], Callable[[Any], Any]], ...] = (
    (torch.get_default_dtype, torch.set_default_dtype),
    (torch.get_num_threads, torch.set_num_threads),
    (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
    (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    (torch.is_anomaly_enabled, torch.set_anomaly_enabled),
    (partial(torch.is_autocast_enabled, "cpu"), partial(torch.set_autocast_enabled, "cpu")),
    (partial(torch.get_autocast_dtype, "cpu"), partial(torch.set_autocast_dtype, "cpu")),
    (partial(torch.is_autocast_enabled, "cuda"), partial(torch.set_autocast_enabled, "cuda")),
    (sys.getrecursionlimit, sys.setrecursionlimit),
    (os.getcwd, os.chdir),
)
_modes: list[Any] = []  # each ends the one below it, for as long as it is kept


@contextmanager
def quarantine(left: set[str] | None = None) -> Iterator[None]:
    """Put back torch's settings and modes, patched names, import hooks, streams and the like.

    A line such as `torch.set_default_dtype(torch.float64)` would otherwise
    spoil every stage that is graded after it, and other people's folders. And
    `os._exit(0)` would end the run at once, as if all were right: here it is an exit
    like any other. A thread that never ends would keep Python from ending, so it waits
    for none that a stage starts.

    left: gets the names of what can't be put back
    """
    with ExitStack() as kept:
        kept.enter_context(warnings.catch_warnings())
        for keep in (_process, _imports, _modes_of_torch, _settings, _streams, _names):
            kept.enter_context(keep())  # names come back first, for all others need them
        before = _lasting()
        yield
    if left is not None:
        left |= {what for what, number in _lasting().items() if number > before[what]}


def _lasting() -> dict[str, int]:
    """What only a new process is free of, counted."""
    registered: set[str] = getattr(torch.library, "_impls", set())
    return {"threads": threading.active_count(), "operators of torch": len(registered)}


@contextmanager
def _names() -> Iterator[None]:
    """What is replaced, taken away or added; submodules that were imported on the way stay."""
    before = [(owner, vars(owner), vars(owner).copy()) for owner in _NAMES]
    try:
        yield
    finally:
        _, pythons, old = before[0]  # first, and without a word that may be replaced itself
        if not _unchanged(pythons, old):
            pythons.update(old)
        for owner, now, old in before:
            if _unchanged(now, old):
                continue
            for name in now.keys() - old.keys():
                if owner is builtins or not isinstance(now[name], ModuleType):
                    delattr(owner, name)
            for name, value in old.items():
                if name not in now or now[name] is not value:
                    setattr(owner, name, value)


def _unchanged(
    now: Any,
    old: dict[str, Any],
    count: Callable[[Any], int] = len,
    every: Callable[[Any], bool] = all,
    pairs: Any = map,
) -> bool:
    """By Python's own words, whatever they mean by now."""
    return count(now) == count(old) and every(pairs(is_, now.values(), old.values()))


@contextmanager
def _settings() -> Iterator[None]:
    before = [_read(read) for read, _ in _SETTINGS]
    device = torch.get_default_device()
    numbers, torch_s_numbers = random.getstate(), torch.get_rng_state()
    try:
        yield
    finally:
        for (read, write), old in zip(_SETTINGS, before, strict=True):
            if _read(read) != old:
                write(old)
        if torch.get_default_device() != device:
            torch.set_default_device(None)
        random.setstate(numbers)
        torch.set_rng_state(torch_s_numbers)


def _read(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except OSError:  # the current folder is gone
        return None


@contextmanager
def _modes_of_torch() -> Iterator[None]:
    """`inference_mode()` and the like, when somebody entered one and did not leave."""
    gradients, inference = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
    functions, dispatch = torch._C._len_torch_function_stack(), torch._C._len_torch_dispatch_stack()
    try:
        yield
    finally:
        while torch._C._len_torch_function_stack() > functions:
            torch._C._pop_torch_function_stack()
        while torch._C._len_torch_dispatch_stack() > dispatch:
            torch._C._pop_torch_dispatch_stack()
        if torch.is_inference_mode_enabled() != inference:
            _modes.append(torch._C._InferenceMode(inference))
            _modes[-1].__enter__()
        torch.set_grad_enabled(gradients)


@contextmanager
def _imports() -> Iterator[None]:
    """Where modules are looked for."""
    places: tuple[list[Any], ...] = (sys.path, sys.meta_path, sys.path_hooks)
    before = [list(found) for found in places]
    try:
        yield
    finally:
        for found, old in zip(places, before, strict=True):
            found[:] = old


@contextmanager
def _streams() -> Iterator[None]:
    """Nobody closes those of everybody: pytest reads from them what was printed."""
    ours = [vars(stream) for stream in _open_streams() if hasattr(stream, "__dict__")]
    for stream in ours:
        stream.update(close=_stay, detach=_stay)
    try:
        yield
    finally:
        for stream in ours:
            stream.pop("close", None)
            stream.pop("detach", None)


def _open_streams() -> Iterator[Any]:
    for stream in {sys.stdin, sys.stdout, sys.stderr}:
        yield stream
        yield getattr(stream, "buffer", None)


def _stay() -> None:
    """In the place of what would close a stream."""


@contextmanager
def _process() -> Iterator[None]:
    environment: MutableMapping[str, str] = os.environ
    encoded: dict[Any, Any] = vars(os.environ)[
        "_data"
    ]  # to copy and compare it as a whole is quick
    variables, at_interrupt = encoded.copy(), signal.getsignal(signal.SIGINT)
    end_at_once, os._exit = os._exit, sys.exit  # type: ignore[assignment]
    here: Any = threading.current_thread()
    waited_for, here._daemonic = here._daemonic, True  # new threads inherit it
    try:
        yield
    finally:
        os._exit = end_at_once
        here._daemonic = waited_for
        if signal.getsignal(signal.SIGINT) is not at_interrupt:
            signal.signal(signal.SIGINT, at_interrupt)
        if encoded != variables:
            environment.clear()
            environment.update({os.fsdecode(k): os.fsdecode(v) for k, v in variables.items()})
