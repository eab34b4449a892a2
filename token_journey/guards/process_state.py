"""What a learner's code changes for the whole process is put back after every check."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def quarantine() -> Iterator[None]:
    """Restore torch's defaults, Python's recursion limit and the current folder.

    A line such as `torch.set_default_dtype(torch.float64)` would otherwise
    spoil every stage that is graded after it, and other people's folders. And
    `os._exit(0)` would end the run at once, as if all were right: here it is an exit
    like any other. A thread that never ends would keep Python from ending, so it waits
    for none that a stage starts.
    """
    gradients, dtype = torch.is_grad_enabled(), torch.get_default_dtype()
    device, recursion, folder = torch.get_default_device(), sys.getrecursionlimit(), os.getcwd()
    end_at_once, os._exit = os._exit, sys.exit  # type: ignore[assignment]
    here: Any = threading.current_thread()
    waited_for, here._daemonic = here._daemonic, True  # new threads inherit it
    try:
        yield
    finally:
        os._exit = end_at_once
        here._daemonic = waited_for
        torch.set_grad_enabled(gradients)
        if torch.get_default_dtype() != dtype:
            torch.set_default_dtype(dtype)
        if torch.get_default_device() != device:
            torch.set_default_device(None)
        if sys.getrecursionlimit() != recursion:
            sys.setrecursionlimit(recursion)
        if os.getcwd() != folder:
            os.chdir(folder)
